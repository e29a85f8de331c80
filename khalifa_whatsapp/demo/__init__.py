"""A month of a pharmacy chain for people who try the app: played by the real use cases,
then put on a site.
"""
