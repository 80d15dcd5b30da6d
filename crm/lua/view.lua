-- Takes or renews the lease of somebody who has a record open, and drops leases
-- that ended.
-- KEYS[1] viewers (agent → "since until", in milliseconds)  KEYS[2] report
-- ARGV[1] agent  ARGV[2] now  ARGV[3] until
-- Returns the report's version or 0, agent, "since until", agent …
local now = tonumber(ARGV[2])
local since = ARGV[2]
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local from, till = string.match(all[i + 1], '^(%d+) (%d+)$')
  if tonumber(till) <= now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] == ARGV[1] then
    since = from
  end
end
redis.call('HSET', KEYS[1], ARGV[1], since .. ' ' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], 3600000)
local out = redis.call('HGETALL', KEYS[1])
table.insert(out, 1, redis.call('HGET', KEYS[2], 'v') or '0')
return out
