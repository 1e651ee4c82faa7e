"""A page that looks like a chat on the phone, for curators and demonstrations; loopback only."""
