#!/bin/sh
# CommonJS finds packages through NODE_PATH, so the pinned ones can live outside this folder.
NODE_ENV=production exec node app.js
