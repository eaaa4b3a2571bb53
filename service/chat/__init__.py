"""The domain: what the chat does, knowing SQL and no HTTP.

models      what is sent and what is answered
store/      the SQL, one function per question
chat        what the use cases work with: the database, the passwords, who is told
accounts, rooms, messages, reading      the use cases, one function each
"""
