"""A loopback Discord: REST v10, gateway v10 and a web page, so that the unmodified bot runs without Discord."""
