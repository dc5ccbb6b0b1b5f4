# What the demonstration makes of Airbyte messages.

def records: select(.type == "RECORD") | .record;

# "commerce.orders", of a stream, a descriptor or a record.
def stream_name: "\(.namespace).\(.name // .stream)";

# A catalog that asks for every stream's changes.
def configured:
  select(.type == "CATALOG")
  | {streams: [.catalog.streams[]
      | {stream: ., sync_mode: "incremental", destination_sync_mode: "append_dedup",
         cursor_field: .default_cursor_field, primary_key: .source_defined_primary_key}]};

# The last state of each stream, as a later read takes them; of the messages of one read, slurped.
def last_states:
  [.[] | select(.type == "STATE") | .state]
  | group_by(.stream.stream_descriptor | stream_name) | map(last);

# Where each table stands in each shard; of last_states. Of a server's UUID, the first part is shown.
def positions:
  .[] | (.stream.stream_descriptor | stream_name) as $stream
  | .stream.stream_state.vgtid.shardGtids[]
  | [$stream, .shard, (.gtid | sub("^MySQL56/(?<uuid>[^-]*)[^:]*:(?<range>.*)$"; "\(.uuid)…:\(.range)"))]
  | @tsv;

# A row without what the connector adds.
def row: .data | del(._ab_cdc_updated_at, ._ab_cdc_deleted_at, ._ab_cdc_cursor);

def is_delete: .data._ab_cdc_deleted_at != null;

# By stream, the columns of its key; of a configured catalog.
def keys_by_stream:
  [.streams[] | {key: (.stream | stream_name), value: [.stream.source_defined_primary_key[][0]]}]
  | from_entries;

# What a destination holds after these messages, slurped: the last record of each key, by stream.
def destination($catalog):
  ($catalog | keys_by_stream) as $keys
  | reduce (.[] | records) as $record ({};
      ($record | stream_name) as $stream
      | ([$record.data[$keys[$stream][]]] | tojson) as $key
      | if ($record | is_delete) then del(.[$stream][$key])
        else .[$stream][$key] = ($record | row) end);

# Of each record its stream, behind a sign: added, changed or deleted, for a destination that held `$before`.
def signed($catalog; $before):
  ($catalog | keys_by_stream) as $keys
  | records
  | stream_name as $stream
  | ([.data[$keys[$stream][]]] | tojson) as $key
  | (if is_delete then "-" elif $before[$stream] | has($key) then "~" else "+" end)
  | "\(.) \($stream)";

# A record as it is compared with what is expected.
def change: records | [.stream, (if is_delete then "delete" else "upsert" end), row];
