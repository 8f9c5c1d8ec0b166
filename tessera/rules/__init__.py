"""The rules language: from files to decisions; knows no web and no templates."""
