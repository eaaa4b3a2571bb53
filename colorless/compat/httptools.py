"""httptools: what the server's short way for heads relies on, beyond its README.

- *A parser that has read one message reads the next*, of another connection: making one costs 15
  µs or more, and reading a head half of one. llhttp starts anew after a message with which the
  connection goes on, and refuses everything after one with which it ends.
- *``should_keep_alive()`` within ``on_message_complete`` tells which of the two it will be*;
  afterwards llhttp has forgotten the message's fields.
- *``HttpParserUpgrade`` comes after ``on_message_complete``*, and ends that parser.

If one of them goes, tests/colorless/compat/test_httptools.py fails: make a parser for each head in
``HeadReader.split``.
"""

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

__all__ = ["HttpParserError", "HttpParserUpgrade", "HttpRequestParser"]
