#!lua flags=allow-oom
--[[
  Reads one tally of a product. Viewers are counted while they are
  known one by one and the period goes on. Otherwise they are
  estimated.
  KEYS[1]  hash    the shard: server it was claimed on, generation, id of the last cut batch
  KEYS[2]  hash    the tally: generation, views, shares
  KEYS[3]  string  HyperLogLog of its viewers
  KEYS[4]  hash    the product's tally of all time: generation, over
  KEYS[5]  zset    while they are few: the product's viewers -> number of the day of their last view
  ARGV[1]  number of the first day of the period, "-inf" for all time; "" where it has ended
  Returns  {"not-claimed"} | {"not-loaded"} |
           {"here", views, shares, viewers, "1" when counted and "0" when estimated}
]]
local shard, tally, viewers, whole, exact = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local since = ARGV[1]

-- include: client/memory-fence
local claimed = redis.call("HMGET", shard, "server", "generation")
if claimed[1] ~= server then
  return { "not-claimed" }
end
local counts = redis.call("HMGET", tally, "generation", "views", "shares")
if counts[1] ~= claimed[2] then
  return { "not-loaded" }
end
local all = redis.call("HMGET", whole, "generation", "over")
if since ~= "" and all[1] == claimed[2] and not all[2] then
  return { "here", counts[2], counts[3], tostring(redis.call("ZCOUNT", exact, since, "+inf")), "1" }
end
return { "here", counts[2], counts[3], string.format("%.0f", redis.call("PFCOUNT", viewers)), "0" }
