package agentdesk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/redis/go-redis/v9"

	"example.org/c3i/contact"
)

// PhoneBrowser is the phone of a user who talks in the browser.
const PhoneBrowser = "browser"

// User is somebody who may sign on.
type User struct {
	// Name is the sign-on name and the handler's id in routing.
	Name    string `json:"name"`
	Display string `json:"display"`
	Role    Role   `json:"role"`
	// Profile names the plan's profile; empty for a user who takes no contacts and
	// so has no desk.
	Profile string `json:"profile,omitempty"`
	// Phone is PhoneBrowser or a dial string such as "PJSIP/h17".
	Phone    string          `json:"phone"`
	OneTime  bool            `json:"one_time,omitempty"`
	Disabled bool            `json:"disabled,omitempty"`
	Changed  contact.Instant `json:"changed"`

	// Hash is the password's PHC string. It never leaves the server.
	Hash string `json:"hash"`
	// Generation rises when sessions opened before must end: at a change of
	// password and when the user is disabled.
	Generation int64 `json:"generation"`
}

// Errors of Users.
var (
	ErrNoUser        = errors.New("agentdesk: no such user")
	ErrUserExists    = errors.New("agentdesk: a user of that name exists")
	ErrWrongPassword = errors.New("agentdesk: wrong sign-on name or password")
	ErrUserDisabled  = errors.New("agentdesk: the user is disabled")
)

// usersKey is one hash, name → User as JSON: some thousands of users at most,
// and one key keeps add and change atomic on a cluster.
const usersKey = "desk:users"

// Users keeps who may sign on, in Redis. It is safe for concurrent use, by
// several processes too.
type Users struct {
	rdb    redis.UniversalClient
	hasher *hasher
	now    func() time.Time
}

// UsersOptions change how Users works; the zero value is right in production.
type UsersOptions struct {
	// Params are argon2id's cost; nil for 19 MiB and two passes.
	Params *argon2id.Params
	// Now is the clock; nil for time.Now.
	Now func() time.Time
}

// NewUsers opens the users kept in rdb. It does not touch Redis.
func NewUsers(rdb redis.UniversalClient, o UsersOptions) (*Users, error) {
	h, err := newHasher(o.Params)
	if err != nil {
		return nil, fmt.Errorf("prepare password hashing: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Users{rdb: rdb, hasher: h, now: o.Now}, nil
}

// UserSpec describes a user to add.
type UserSpec struct {
	Name    string
	Display string // defaults to Name
	Role    Role
	Profile string
	Phone   string // defaults to PhoneBrowser
	// Password, when given, is used as it is and need not be changed; it must meet
	// the rules. When empty a one-time password is made.
	Password string
}

var (
	userName   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)
	dialString = regexp.MustCompile(`^PJSIP/[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// userFault names the field at fault in a sentence saying what to write.
func userFault(s UserSpec) error {
	switch {
	case !userName.MatchString(s.Name):
		return invalid("name", fmt.Sprintf("%q cannot be a sign-on name: use up to 32 small letters, digits, dots, dashes or underscores, beginning with a letter or digit.", s.Name))
	case !s.Role.Known():
		return invalid("role", fmt.Sprintf("%q is not a role: use handler, supervisor or manager.", s.Role))
	case s.Phone != PhoneBrowser && !dialString.MatchString(s.Phone):
		return invalid("phone", fmt.Sprintf("%q is not a phone: use browser, or a dial string such as PJSIP/h17.", s.Phone))
	case !utf8.ValidString(s.Display) || utf8.RuneCountInString(s.Display) > 80 || strings.ContainsFunc(s.Display, func(r rune) bool { return r < ' ' }):
		return invalid("display", "The display name may have at most 80 characters, on one line.")
	case len(s.Profile) > 64:
		return invalid("profile", "The profile's name may have at most 64 characters.")
	}
	return nil
}

// Add creates a user and returns the one-time password, empty when the
// specification gave a password. Bad input is an *Error naming the field; a name
// already taken is ErrUserExists.
func (us *Users) Add(ctx context.Context, s UserSpec) (oneTime string, err error) {
	if s.Phone == "" {
		s.Phone = PhoneBrowser
	}
	if s.Display == "" {
		s.Display = s.Name
	}
	if err := userFault(s); err != nil {
		return "", err
	}
	u := User{Name: s.Name, Display: s.Display, Role: s.Role, Profile: s.Profile, Phone: s.Phone, Changed: contact.At(us.now()), Generation: 1}
	password := s.Password
	if password == "" {
		oneTime = newOneTimePassword()
		password, u.OneTime = oneTime, true
	} else if err := checkPassword(u, password); err != nil {
		return "", err
	}
	if u.Hash, err = us.hasher.hash(ctx, password); err != nil {
		return "", err
	}
	b, err := json.Marshal(u)
	if err != nil {
		return "", err
	}
	added, err := us.rdb.HSetNX(ctx, usersKey, u.Name, b).Result()
	if err != nil {
		return "", fmt.Errorf("add user: %w", err)
	}
	if !added {
		return "", fmt.Errorf("%w: %s", ErrUserExists, u.Name)
	}
	return oneTime, nil
}

// Get reads one user, or ErrNoUser.
func (us *Users) Get(ctx context.Context, name string) (User, error) {
	b, err := us.rdb.HGet(ctx, usersKey, name).Bytes()
	if errors.Is(err, redis.Nil) {
		return User{}, fmt.Errorf("%w: %s", ErrNoUser, name)
	}
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	var u User
	if err := json.Unmarshal(b, &u); err != nil {
		return User{}, fmt.Errorf("read user %s: %w", name, err)
	}
	return u, nil
}

// List reads every user, in order of name.
func (us *Users) List(ctx context.Context) ([]User, error) {
	all, err := us.rdb.HGetAll(ctx, usersKey).Result()
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	users := make([]User, 0, len(all))
	for name, text := range all {
		var u User
		if err := json.Unmarshal([]byte(text), &u); err != nil {
			return nil, fmt.Errorf("read user %s: %w", name, err)
		}
		users = append(users, u)
	}
	slices.SortFunc(users, func(a, b User) int { return cmp.Compare(a.Name, b.Name) })
	return users, nil
}

// Disable stops a user signing on, or lets them again. Sessions open at the time
// end within half a minute.
func (us *Users) Disable(ctx context.Context, name string, disabled bool) error {
	return us.change(ctx, name, func(u *User) error {
		u.Disabled = disabled
		u.Generation++
		return nil
	})
}

// Reset gives a user a new one-time password and ends their sessions.
func (us *Users) Reset(ctx context.Context, name string) (oneTime string, err error) {
	oneTime = newOneTimePassword()
	hash, err := us.hasher.hash(ctx, oneTime)
	if err != nil {
		return "", err
	}
	err = us.change(ctx, name, func(u *User) error {
		u.Hash, u.OneTime = hash, true
		u.Generation++
		return nil
	})
	if err != nil {
		return "", err
	}
	return oneTime, nil
}

// SetPassword changes a password, given the old one: ErrWrongPassword when it is
// not right, an *Error when the new one breaks a rule. Sessions open at the time
// end; the one-time flag is taken off.
func (us *Users) SetPassword(ctx context.Context, name, old, next string) (User, error) {
	before, err := us.Check(ctx, name, old)
	if err != nil {
		return User{}, err
	}
	if err := checkPassword(before, next); err != nil {
		return User{}, err
	}
	if old == next {
		return User{}, invalid("new", "The new password is the same as the old one.")
	}
	hash, err := us.hasher.hash(ctx, next)
	if err != nil {
		return User{}, err
	}
	var after User
	err = us.change(ctx, name, func(u *User) error {
		if u.Hash != before.Hash {
			return ErrWrongPassword // changed by somebody in between
		}
		u.Hash, u.OneTime = hash, false
		u.Generation++
		after = *u
		return nil
	})
	return after, err
}

// Check verifies a password. Unknown name and wrong password are the same error
// and take the same time; a disabled user is told so only with the right password.
func (us *Users) Check(ctx context.Context, name, password string) (User, error) {
	u, err := us.Get(ctx, name)
	if err != nil && !errors.Is(err, ErrNoUser) {
		return User{}, err
	}
	match, err := us.hasher.check(ctx, password, u.Hash)
	switch {
	case err != nil:
		return User{}, fmt.Errorf("check password: %w", err)
	case !match:
		return User{}, ErrWrongPassword
	case u.Disabled:
		return User{}, ErrUserDisabled
	}
	return u, nil
}

// change applies f to a user, repeating it when another process was quicker.
func (us *Users) change(ctx context.Context, name string, f func(*User) error) error {
	for range 10 {
		err := us.rdb.Watch(ctx, func(tx *redis.Tx) error {
			b, err := tx.HGet(ctx, usersKey, name).Bytes()
			if errors.Is(err, redis.Nil) {
				return fmt.Errorf("%w: %s", ErrNoUser, name)
			}
			if err != nil {
				return fmt.Errorf("read user: %w", err)
			}
			var u User
			if err := json.Unmarshal(b, &u); err != nil {
				return fmt.Errorf("read user %s: %w", name, err)
			}
			if err := f(&u); err != nil {
				return err
			}
			u.Changed = contact.At(us.now())
			if b, err = json.Marshal(u); err != nil {
				return err
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				return p.HSet(ctx, usersKey, name, b).Err()
			})
			return err
		}, usersKey)
		if !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return fmt.Errorf("change user %s: others changed users at the same time, try again", name)
}
