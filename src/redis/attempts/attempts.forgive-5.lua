#!lua
--[[
  Forgives an attempt that proved right, and the account's failures. Of
  address and network only this attempt is forgiven: else the owner of one
  account could clear the failures against others. Can be repeated.
  KEYS[1]  zset    this account from this place: attempt -> when (ms since epoch)
  KEYS[2]  zset    this account from all places that it does not know
  KEYS[3]  zset    this address, any account
  KEYS[4]  zset    its network, any account
  KEYS[5]  string  exists where the place is known to the account
  ARGV[1]  id of the attempt
  ARGV[2]  how long the place stays known (ms), "0" for not at all
  Returns  1
]]
local place, account, address, network, known = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, knownMs = ARGV[1], ARGV[2]

redis.call("DEL", place, account)
redis.call("ZREM", address, id)
redis.call("ZREM", network, id)
if knownMs ~= "0" then
  redis.call("SET", known, "1", "PX", knownMs)
end
return 1
