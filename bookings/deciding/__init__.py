"""What changes a booking: the services, the rules they enforce, the queue, the log, the checks."""
