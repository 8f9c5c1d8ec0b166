"""Template languages and what templates demand."""
