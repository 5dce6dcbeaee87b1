"""turbopuffer's API on loopback, as strict as the real one."""
