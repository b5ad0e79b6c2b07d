-- wrk's script: sends the prepared requests in a circle and prints what came of them as one line of JSON.
-- Usage: wrk ... -s replay.lua <url> -- <file>, each line of the file: method, tab, path, tab, body

local requests = {}
local position = 0

function init(args)
  for line in io.lines(args[1]) do
    local method, path, body = line:match('^(%S+)\t(%S+)\t(.*)$')
    local headers = {}
    for name, value in pairs(wrk.headers) do
      headers[name] = value
    end
    if body == '' then
      body = nil
    else
      headers['Content-Type'] = 'application/json'
    end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50Ms":%.3f,"p99Ms":%.3f,"failures":%d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
