"""One module per step of the document, in its order, and what they share."""
