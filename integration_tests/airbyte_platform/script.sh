# What the platform's container does with an image (reading of its behaviour, in words of our own): the
# image's command is the value of AIRBYTE_ENTRYPOINT, evaluated by the shell with the arguments behind it.
# Arguments: where stdout goes, where stderr goes, and the command with its arguments as one text.
if [ -z "$AIRBYTE_ENTRYPOINT" ]; then
  echo 'The image sets no AIRBYTE_ENTRYPOINT.' >&2
  echo 127 >TEMP_EXIT_CODE.txt
  mv TEMP_EXIT_CODE.txt exitCode.txt
  exit 127
fi
(
  eval "$AIRBYTE_ENTRYPOINT $3" >"$1" 2>"$2"
) &
child=$!
(
  while [ ! -f TERMINATED ]; do
    sleep 0.1
  done
  kill "$child"
) &
watcher=$!
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
echo "$code" >TEMP_EXIT_CODE.txt
mv TEMP_EXIT_CODE.txt exitCode.txt
