#!lua
--[[
  Does nothing. Redis judges a script that may write before it runs: a server that would refuse a
  write refuses this one, for the same reason (OOM, READONLY, MISCONF, NOREPLICAS).
  KEYS     none, so that every node of a Cluster runs it
  ARGV     none
  Returns  1
]]
return 1
