"""Plain synchronous calls to other sites, by addresses that members of the chat chose.

Nothing here knows of the chat or of a database. The layers, each importing only those above it:

    errors      why a call came to nothing
    addresses   which addresses may be spoken to
    url         the parts of a URL that may be called
    gate        how many calls to one host at once
    body        an answer's body, decompressed, capped
    client      one guarded HTTP call: resolved once, vetted, connected to that very address
    page        what an HTML page says of itself
    signature   what makes a webhook's receiver believe it
"""
