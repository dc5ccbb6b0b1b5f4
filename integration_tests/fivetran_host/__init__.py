"""A host for sources of Fivetran's Partner SDK: what Fivetran does with a connector, for tests.

It starts a connector, or connects to one, calls it over gRPC as Fivetran does, keeps what it
delivers in SQLite by Fivetran's rules, and notes every rule that the connector breaks. It shares
nothing with the connector but the definitions of the messages.

    process     the connector's process: its port, its log, its end
    client      the four calls
    messages    the answers, read without trust
    form        the configuration form, and what a user has filled in
    catalog     schemas, tables and columns as they were declared
    selection   what the user has chosen of them
    values      single values: the rules for them, and how they are kept
    findings    the rules, and what broke them
    stream      one Update's messages against the rules
    warehouse   tables in SQLite
    connection  one user's connection: all of the above together
    server      connections for another program: commands and answers, JSON lines
    __main__    a connection on the command line

Numbers in brackets, as in [2.6], are sections of the project's reference of the SDK.
"""

import os

# gRPC's own: connectors are started while calls are under way.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
