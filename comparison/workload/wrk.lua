-- Sends the lines of a request file in turn, checks every answer, prints the summary as JSON.
-- Arguments: the request file, the status each answer must have, how each body must begin.

local bad = { status = 0, answer = 0 }
threads = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(args)
   requests, at, status_wrong, answer_wrong = {}, 0, 0, 0
   for line in io.lines(args[1]) do
      local raw = line:match("^[^\t]*\t[^\t]*\t(.*)$")
      table.insert(requests, (raw:gsub("\\r\\n", "\r\n")))
   end
   want, prefix = tonumber(args[2]), args[3]
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function response(status, headers, body)
   if status ~= want then
      status_wrong = status_wrong + 1
   elseif body:sub(1, #prefix) ~= prefix then
      answer_wrong = answer_wrong + 1
   end
end

function done(summary, latency)
   for _, thread in ipairs(threads) do
      bad.status = bad.status + thread:get("status_wrong")
      bad.answer = bad.answer + thread:get("answer_wrong")
   end
   local e = summary.errors
   io.write(string.format(
      '\n{"requests":%d,"seconds":%f,"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,' ..
      '"status":%d,"answer":%d},"p50":%f,"p90":%f,"p99":%f,"max":%f}\n',
      summary.requests, summary.duration / 1e6, e.connect, e.read, e.write, e.timeout,
      bad.status, bad.answer, latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
      latency:percentile(99) / 1e3, latency.max / 1e3))
end
