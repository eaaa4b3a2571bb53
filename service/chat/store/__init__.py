"""The SQL, one function per question; each is given the connection to ask on."""
