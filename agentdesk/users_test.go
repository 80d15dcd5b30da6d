package agentdesk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"example.org/c3i/agentdesk"
	"example.org/c3i/crm/redistest"
)

func newUsers(t *testing.T, params *argon2id.Params) *agentdesk.Users {
	t.Helper()
	if params == nil {
		params = &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	us, err := agentdesk.NewUsers(redistest.Start(t), agentdesk.UsersOptions{Params: params})
	must(t, err)
	return us
}

func TestAddedUserMustChangeTheOneTimePassword(t *testing.T) {
	us := newUsers(t, nil)
	one, err := us.Add(t.Context(), agentdesk.UserSpec{Name: "anna", Role: agentdesk.RoleHandler, Profile: "general"})
	must(t, err)
	if len(one) != len("xxxx-xxxx-xxxx") {
		t.Fatalf("one-time password = %q", one)
	}
	u, err := us.Check(t.Context(), "anna", one)
	must(t, err)
	if !u.OneTime || u.Display != "anna" || u.Phone != agentdesk.PhoneBrowser {
		t.Fatalf("user = %+v", u)
	}
	after, err := us.SetPassword(t.Context(), "anna", one, "three random words")
	must(t, err)
	if after.OneTime || after.Generation <= u.Generation {
		t.Fatalf("after the change: %+v", after)
	}
	if _, err := us.Check(t.Context(), "anna", one); !errors.Is(err, agentdesk.ErrWrongPassword) {
		t.Fatalf("the one-time password still works: %v", err)
	}
	if _, err := us.Check(t.Context(), "anna", "three random words"); err != nil {
		t.Fatal(err)
	}
}

func TestUserNamesAreTakenOnce(t *testing.T) {
	us := newUsers(t, nil)
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			_, err := us.Add(t.Context(), agentdesk.UserSpec{Name: "anna", Role: agentdesk.RoleHandler})
			errs <- err
		})
	}
	wg.Wait()
	close(errs)
	added := 0
	for err := range errs {
		switch {
		case err == nil:
			added++
		case !errors.Is(err, agentdesk.ErrUserExists):
			t.Errorf("error = %v", err)
		}
	}
	if added != 1 {
		t.Fatalf("%d of 8 added the same name", added)
	}
}

func TestBadUsersAreRefusedByField(t *testing.T) {
	us := newUsers(t, nil)
	good := agentdesk.UserSpec{Name: "anna", Role: agentdesk.RoleHandler}
	for name, c := range map[string]struct {
		change func(*agentdesk.UserSpec)
		field  string
	}{
		"no name":               {func(s *agentdesk.UserSpec) { s.Name = "" }, "name"},
		"capital letter":        {func(s *agentdesk.UserSpec) { s.Name = "Anna" }, "name"},
		"space":                 {func(s *agentdesk.UserSpec) { s.Name = "anna b" }, "name"},
		"too long":              {func(s *agentdesk.UserSpec) { s.Name = strings.Repeat("a", 33) }, "name"},
		"path":                  {func(s *agentdesk.UserSpec) { s.Name = "../anna" }, "name"},
		"no role":               {func(s *agentdesk.UserSpec) { s.Role = "" }, "role"},
		"unknown role":          {func(s *agentdesk.UserSpec) { s.Role = "root" }, "role"},
		"phone of another kind": {func(s *agentdesk.UserSpec) { s.Phone = "Local/1@front-door" }, "phone"},
		"phone with a comma":    {func(s *agentdesk.UserSpec) { s.Phone = "PJSIP/h17,b(evil)" }, "phone"},
		"two lines of name":     {func(s *agentdesk.UserSpec) { s.Display = "Anna\nB" }, "display"},
		"long display name":     {func(s *agentdesk.UserSpec) { s.Display = strings.Repeat("é", 81) }, "display"},
		"long profile":          {func(s *agentdesk.UserSpec) { s.Profile = strings.Repeat("p", 65) }, "profile"},
		"short password":        {func(s *agentdesk.UserSpec) { s.Password = "too short" }, "new"},
		"password with name":    {func(s *agentdesk.UserSpec) { s.Password = "my-Anna-password" }, "new"},
		"one letter":            {func(s *agentdesk.UserSpec) { s.Password = strings.Repeat("x", 20) }, "new"},
		"common password":       {func(s *agentdesk.UserSpec) { s.Password = "Password1234!" }, "new"},
		"long password":         {func(s *agentdesk.UserSpec) { s.Password = strings.Repeat("abcdefg ", 20) }, "new"},
		"broken text":           {func(s *agentdesk.UserSpec) { s.Password = "abcdefghijk\xff" }, "new"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := good
			c.change(&spec)
			_, err := us.Add(t.Context(), spec)
			if e := refused(t, err, agentdesk.CodeInvalid); e.Field != c.field {
				t.Fatalf("field = %q, want %q (%s)", e.Field, c.field, e.Message)
			}
		})
	}
	if list, err := us.List(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("after refusals the list is %v, %v", list, err)
	}
}

func TestDisableAndReset(t *testing.T) {
	us := newUsers(t, nil)
	for _, name := range []string{"ben", "anna"} {
		_, err := us.Add(t.Context(), agentdesk.UserSpec{Name: name, Role: agentdesk.RoleHandler, Password: password})
		must(t, err)
	}
	must(t, us.Disable(t.Context(), "anna", true))
	if _, err := us.Check(t.Context(), "anna", password); !errors.Is(err, agentdesk.ErrUserDisabled) {
		t.Fatalf("a disabled user: %v", err)
	}
	if _, err := us.Check(t.Context(), "anna", "wrong"); !errors.Is(err, agentdesk.ErrWrongPassword) {
		t.Fatalf("a disabled user with a wrong password: %v; must not tell that it is disabled", err)
	}
	must(t, us.Disable(t.Context(), "anna", false))
	one, err := us.Reset(t.Context(), "anna")
	must(t, err)
	u, err := us.Check(t.Context(), "anna", one)
	must(t, err)
	if !u.OneTime {
		t.Fatal("a reset password need not be changed")
	}
	list, err := us.List(t.Context())
	must(t, err)
	if len(list) != 2 || list[0].Name != "anna" || list[1].Name != "ben" {
		t.Fatalf("list = %+v", list)
	}
	for _, err := range []error{us.Disable(t.Context(), "nobody", true), second(us.Reset(t.Context(), "nobody")), second(us.Get(t.Context(), "nobody"))} {
		if !errors.Is(err, agentdesk.ErrNoUser) {
			t.Errorf("error = %v, want ErrNoUser", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestChangesByManyAtOnceAreAllKept(t *testing.T) {
	us := newUsers(t, nil)
	for i := range 4 {
		_, err := us.Add(t.Context(), agentdesk.UserSpec{Name: fmt.Sprintf("h%d", i), Role: agentdesk.RoleHandler, Password: password})
		must(t, err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			if err := us.Disable(t.Context(), fmt.Sprintf("h%d", i), true); err != nil {
				t.Errorf("disable: %v", err)
			}
		})
	}
	wg.Wait()
	list, err := us.List(t.Context())
	must(t, err)
	for _, u := range list {
		if !u.Disabled {
			t.Errorf("%s is not disabled", u.Name)
		}
	}
}

func TestUnknownUserTakesAsLongAsAWrongPassword(t *testing.T) {
	us := newUsers(t, &argon2id.Params{Memory: 8 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	_, err := us.Add(t.Context(), agentdesk.UserSpec{Name: "anna", Role: agentdesk.RoleHandler, Password: password})
	must(t, err)
	best := func(name string) time.Duration {
		least := time.Hour
		for range 7 {
			began := time.Now()
			if _, err := us.Check(t.Context(), name, "not the password"); !errors.Is(err, agentdesk.ErrWrongPassword) {
				t.Fatalf("%s: %v", name, err)
			}
			least = min(least, time.Since(began))
		}
		return least
	}
	known, unknown := best("anna"), best("nobody")
	if unknown < known/3 || known < unknown/3 {
		t.Fatalf("known name %s, unknown name %s: the difference tells who exists", known, unknown)
	}
}

func TestAccountNeverCarriesTheHash(t *testing.T) {
	w := newWorld(t)
	w.add("anna")
	s := w.signOn("anna")
	var raw json.RawMessage
	must(t, s.Call(w.ctx(), "GET", "/api/me", nil, &raw))
	if strings.Contains(string(raw), "argon2") || strings.Contains(string(raw), "hash") {
		t.Fatalf("/api/me = %s", raw)
	}
}
