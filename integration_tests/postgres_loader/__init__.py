"""The example that loads into PostgreSQL, against a real server and the simulator."""
