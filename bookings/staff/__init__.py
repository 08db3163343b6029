"""The pages on which the staff run a space's day. They look like the members' pages."""
