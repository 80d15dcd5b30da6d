-- Counts one event against a generic cell rate limit.
-- KEYS[1] string; ARGV: now in ms, burst, ms for one more, cost (0 only looks).
-- Gives the ms to wait, 0 when it is allowed.
local now, burst, every, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local due = tonumber(redis.call('GET', KEYS[1]) or '0')
if due < now then
  due = now
end
local full = now + burst * every
if due + every > full then
  return due + every - full
end
if cost > 0 then
  due = due + cost * every
  redis.call('SET', KEYS[1], string.format('%d', due), 'PX', string.format('%d', due - now + 1000))
end
return 0
