// What JavaScript improves on the staff's pages; everything works without it.
