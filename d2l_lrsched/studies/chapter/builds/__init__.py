"""All that the book's builds printed, against sixteen hundred draws of ours."""
