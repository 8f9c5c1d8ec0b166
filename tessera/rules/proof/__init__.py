"""What can be proved of rules before they are published: which never match, which come too late, what is unused."""
