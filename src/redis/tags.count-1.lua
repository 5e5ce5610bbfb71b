#!lua flags=allow-oom
--[[
  Counts one more invalidation. Sent after the tags it stands for, on a full server too.
  KEYS[1]  string  number of invalidations so far
  Returns  the number
]]
return redis.call("INCR", KEYS[1])
