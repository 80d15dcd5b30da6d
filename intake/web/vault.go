package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the Lua script
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/seal.lua
var sealLua string

var sealScript = redis.NewScript(sealLua)

// errGone means that a cookie opens nothing: it expired, was cleared or is made up.
var errGone = errors.New("web: nothing is kept under this cookie")

// vault keeps one JSON value for each browser. The cookie holds a random token;
// Redis holds the value under a hash of the token, sealed with a key made from
// the token. Whoever reads Redis reads nothing, and nothing outlives its time.
type vault[T any] struct {
	redis redis.UniversalClient
	name  string
}

// token is what a cookie holds.
type token string

func newToken() token { return token(rand.Text() + rand.Text()) }

func (v vault[T]) place(t token) (key string, seal cipher.AEAD, err error) {
	if len(t) < 40 || len(t) > 80 {
		return "", nil, errGone
	}
	id := sha256.Sum256([]byte(v.name + " id " + string(t)))
	k, err := hkdf.Key(sha256.New, []byte(t), nil, v.name+" seal", 32)
	if err != nil {
		return "", nil, err
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return "", nil, err
	}
	seal, err = cipher.NewGCM(block)
	return "{" + v.name + ":" + hex.EncodeToString(id[:16]) + "}", seal, err
}

// get reads the value of a token and the version it was read at.
func (v vault[T]) get(ctx context.Context, t token) (value T, version uint64, err error) {
	key, seal, err := v.place(t)
	if err != nil {
		return value, 0, err
	}
	h, err := v.redis.HGetAll(ctx, key).Result()
	if err != nil {
		return value, 0, fmt.Errorf("web: read what a browser keeps: %w", err)
	}
	if len(h) == 0 {
		return value, 0, errGone
	}
	version, err = strconv.ParseUint(h["version"], 10, 64)
	if err != nil {
		return value, 0, fmt.Errorf("web: read what a browser keeps: %w", err)
	}
	sealed, err := base64.StdEncoding.DecodeString(h["sealed"])
	if err != nil || len(sealed) < seal.NonceSize() {
		return value, 0, errGone
	}
	open, err := seal.Open(nil, sealed[:seal.NonceSize()], sealed[seal.NonceSize():], []byte(key))
	if err != nil {
		return value, 0, errGone
	}
	return value, version, json.Unmarshal(open, &value)
}

// put writes the value of a token for a while, if its version is still the one
// given; nought for a new one. It reports whether it did.
func (v vault[T]) put(ctx context.Context, t token, version uint64, value T, life time.Duration) (bool, error) {
	key, seal, err := v.place(t)
	if err != nil {
		return false, err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return false, err
	}
	nonce := make([]byte, seal.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return false, err
	}
	sealed := base64.StdEncoding.EncodeToString(seal.Seal(nonce, nonce, plain, []byte(key)))
	n, err := sealScript.Run(ctx, v.redis, []string{key}, version, sealed, life.Milliseconds()).Int()
	if err != nil {
		return false, fmt.Errorf("web: keep what a browser entered: %w", err)
	}
	return n == 1, nil
}

// update changes a value and gives it back. change may run more than once, when
// two tabs save at the same time, and each sees what the other wrote.
func (v vault[T]) update(ctx context.Context, t token, life func(T) time.Duration, change func(*T) error) (T, error) {
	for range 20 {
		value, version, err := v.get(ctx, t)
		if err != nil {
			return value, err
		}
		if err := change(&value); err != nil {
			return value, err
		}
		if ok, err := v.put(ctx, t, version, value, life(value)); ok || err != nil {
			return value, err
		}
	}
	var none T
	return none, errors.New("web: what a browser keeps changed too often to be written")
}

func (v vault[T]) drop(ctx context.Context, t token) error {
	key, _, err := v.place(t)
	if errors.Is(err, errGone) {
		return nil
	}
	if err != nil {
		return err
	}
	return v.redis.Del(ctx, key).Err()
}
