-- Writes a sealed value if nobody wrote since it was read.
-- KEYS[1] hash; ARGV: version read (0: must not be there), sealed value, life in ms.
local key = KEYS[1]
local version, sealed, life = ARGV[1], ARGV[2], tonumber(ARGV[3])

local now = redis.call('HGET', key, 'version') or '0'
if now ~= version then
  return 0
end
redis.call('HSET', key, 'version', string.format('%d', tonumber(version) + 1), 'sealed', sealed)
redis.call('PEXPIRE', key, life)
return 1
