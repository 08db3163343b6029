"""How a booking is described: its times in words, in whose zone, and as data for programs."""
