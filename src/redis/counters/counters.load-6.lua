#!lua
--[[
  Fills one tally with what Postgres has and what is still to be
  flushed. It takes one step: half a tally is never seen. Viewers
  that are here stay: a union counts each once. Refused where a
  batch was applied after Postgres was read.
  KEYS[1]  hash    the shard: server it was claimed on, generation, id of the last cut batch
  KEYS[2]  hash    counts that Postgres does not have
  KEYS[3]  hash    the batch that is on its way to Postgres: id, prev, and the counts
  KEYS[4]  hash    the tally: generation, views, shares, over
  KEYS[5]  string  HyperLogLog of its viewers
  KEYS[6]  zset    for all time, while they are few: the product's viewers -> number of the day of
                   their last view
  ARGV[1]  id of the last batch in what was read, "" for none   ARGV[2]  <product>:<period>
  ARGV[3]  views   ARGV[4]  shares
  ARGV[5]  HyperLogLog, "" for none   ARGV[6]  when it leaves (ms since epoch), 0 for never
  ARGV[7]  most viewers that are known one by one, 0 for other periods
  ARGV[8]  1 when there are more
  ARGV[9…]  day of the last view, viewer
  Returns  "not-claimed" | "outdated" | "loaded"
]]
local shard, pending, batch = KEYS[1], KEYS[2], KEYS[3]
local tally, viewers, exact = KEYS[4], KEYS[5], KEYS[6]
local applied, name, sketch, leavesMs, most = ARGV[1], ARGV[2], ARGV[5], ARGV[6], tonumber(ARGV[7])

-- include: client/memory-fence
local state = redis.call("HMGET", shard, "server", "generation", "cut")
if state[1] ~= server then
  return "not-claimed"
end
if redis.call("HGET", tally, "generation") == state[2] then
  return "loaded"
end
local waiting = redis.call("HMGET", batch, "id", "prev")
if waiting[1] ~= applied and (waiting[1] and waiting[2] or state[3]) ~= applied then
  return "outdated"
end
local over = ARGV[8] == "1" or redis.call("HGET", tally, "over")
redis.call("UNLINK", tally)
if sketch ~= "" then
  -- The place of the tally is free for a moment: a HyperLogLog can only be merged from a key.
  redis.call("SET", tally, sketch)
  redis.call("PFMERGE", viewers, tally)
  redis.call("UNLINK", tally)
end
redis.call("PFADD", viewers)
local counts = { views = ARGV[3], shares = ARGV[4] }
for what, base in pairs(counts) do
  redis.call("HSET", tally, what, base)
  local field = name .. ":" .. what
  local owed = waiting[1] and waiting[1] ~= applied and { pending, batch } or { pending }
  for _, key in ipairs(owed) do
    redis.call("HINCRBY", tally, what, redis.call("HGET", key, field) or 0)
  end
end
redis.call("HSET", tally, "generation", state[2])
if most > 0 then
  for index = 9, #ARGV, 2 do
    redis.call("ZADD", exact, "GT", ARGV[index], ARGV[index + 1])
  end
  if over or redis.call("ZCARD", exact) > most then
    redis.call("UNLINK", exact)
    redis.call("HSET", tally, "over", 1)
  end
end
if leavesMs ~= "0" then
  redis.call("PEXPIREAT", tally, leavesMs)
  redis.call("PEXPIREAT", viewers, leavesMs)
end
return "loaded"
