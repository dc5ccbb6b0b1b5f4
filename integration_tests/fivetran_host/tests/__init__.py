"""Tests of the host: that it finds every fault, and keeps rows by Fivetran's rules."""
