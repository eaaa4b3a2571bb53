"""Calls to other sites, at URLs that users of the chat chose: guarded against SSRF.

Nothing here knows of the chat or of a database. The layers, each importing only those above it:

    errors                           why a call failed
    ssrf                             which addresses and ports may be connected to
    url                              the parts of a URL that may be called
    host_limit                       how many calls to one host at a time
    decompression                    a response's body, decompressed up to a limit
    client                           one guarded HTTP call: resolve, check, connect to that address
    html_metadata                    title, description and image of an HTML page
    webhook_signature                the signature by which a receiver knows a webhook
"""
