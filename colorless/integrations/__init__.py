"""What serves one framework or protocol each: optional, and imported only by who uses it.

flask/, http/  imported as colorless.flask and colorless.http
"""
