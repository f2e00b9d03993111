"""All that the book's builds printed in three years, against sixteen hundred draws of ours."""
