"""What events look like, as schemas for others: made from the code, published in docs/schemas/."""
