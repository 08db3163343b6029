"""What changes a booking: the services, the rules they keep, the queue, the log, and the proof."""
