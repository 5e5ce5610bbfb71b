--[[
  Adds an entry of Postgres to the cached tail of its log. The
  same step announces it. Can be repeated and come late: an entry
  before the tail's end is only announced. A tail that was not
  loaded on this server stays so. A load under way is refused,
  because it may have begun before this entry. On a full server
  the tail is given up. The entry is announced all the same. Hence
  no flags: only a script without them may catch what the server
  refuses.
  KEYS[1]  stream  the tail: "<sequence>-0" -> at (ms since epoch), entry
  KEYS[2]  hash    its state: server -> replication id; last -> sequence that it reaches to, or
                   loading -> who loads it
  ARGV[1]  sequence   ARGV[2]  the entry   ARGV[3]  channel   ARGV[4]  what is announced
  ARGV[5]  most entries   ARGV[6]  how long they are kept (ms)
  Returns  1 when it was added to the tail, else 0
]]
local tail, state = KEYS[1], KEYS[2]
local sequence, entry, channel, news = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local most, keepMs = ARGV[5], tonumber(ARGV[6])

-- include: client/memory-fence
local known = redis.call("HMGET", state, "server", "last")
local added = 0
if known[1] ~= server or not known[2] then
  redis.call("UNLINK", tail, state)
elseif tonumber(sequence) > tonumber(known[2]) then
  local now = redis.call("TIME")
  local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
  local at = string.format("%.0f", nowMs)
  local id = redis.pcall(
    "XADD", tail, "MAXLEN", "=", most, sequence .. "-0", "at", at, "entry", entry
  )
  if type(id) == "table" and id.err then
    redis.call("UNLINK", tail, state)
  else
    redis.call("HSET", state, "last", sequence)
    -- Each append removes up to fifteen entries that are too old: bounded, and faster than they
    -- come.
    local oldest = redis.call("XRANGE", tail, "-", "+", "COUNT", 16)
    local first = oldest[#oldest][1]
    for index = #oldest, 1, -1 do
      if nowMs - oldest[index][2][2] < keepMs then
        first = oldest[index][1]
      end
    end
    redis.call("XTRIM", tail, "MINID", "=", first)
    redis.call("PEXPIRE", tail, keepMs)
    redis.call("PEXPIRE", state, keepMs)
    added = 1
  end
end
redis.call("PUBLISH", channel, news)
return added
