package email

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"example.org/c3i/crm"
)

// Threads keeps what e-mail itself must remember, each key in a slot of its own:
//
//	{mail}:key        string  key of the signatures
//	{mref:REFERENCE}  string  thread a reference stands for
//	{mthr:THREAD}     hash    the thread's reference
//	{mlock:THREAD}    string  held while a message joins the thread
//	{mrcpt:ADDRESS}   string  receipts sent to an address (hashed) in a day
//	{imap:ACCOUNT}    hash    how far a mailbox was read
type Threads struct {
	redis  redis.UniversalClient
	Signer Signer
}

// OpenThreads reads, or the first time makes, the key of the signatures.
func OpenThreads(ctx context.Context, r redis.UniversalClient) (*Threads, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("email: make the key of the signatures: %w", err)
	}
	if err := r.SetNX(ctx, "{mail}:key", fresh, 0).Err(); err != nil {
		return nil, fmt.Errorf("email: open: %w", err)
	}
	key, err := r.Get(ctx, "{mail}:key").Bytes()
	if err != nil {
		return nil, fmt.Errorf("email: open: %w", err)
	}
	return &Threads{redis: r, Signer: NewSigner(key)}, nil
}

// Reference returns a thread's reference and makes it the first time.
func (t *Threads) Reference(ctx context.Context, thread crm.ThreadID) (Reference, error) {
	key := "{mthr:" + string(thread) + "}"
	for range 5 {
		had, err := t.redis.HGet(ctx, key, "reference").Result()
		if err == nil {
			return Reference(had), nil
		}
		if !errors.Is(err, redis.Nil) {
			return "", fmt.Errorf("email: reference: %w", err)
		}
		r, err := newReference()
		if err != nil {
			return "", err
		}
		// The way back is written first: a reference that is given out leads somewhere.
		fresh, err := t.redis.SetNX(ctx, "{mref:"+string(r)+"}", string(thread), 0).Result()
		if err != nil {
			return "", fmt.Errorf("email: reference: %w", err)
		}
		if !fresh {
			continue
		}
		if err := t.redis.HSetNX(ctx, key, "reference", string(r)).Err(); err != nil {
			return "", fmt.Errorf("email: reference: %w", err)
		}
	}
	return "", errors.New("email: no free reference was found")
}

// Thread tells which thread a reference stands for, empty when none.
func (t *Threads) Thread(ctx context.Context, r Reference) (crm.ThreadID, error) {
	id, err := t.redis.Get(ctx, "{mref:"+string(r)+"}").Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("email: reference: %w", err)
	}
	return crm.ThreadID(id), nil
}

var unlock = redis.NewScript(`if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`)

// locked runs f while no other process decides on the same thread.
func (t *Threads) locked(ctx context.Context, thread crm.ThreadID, f func() error) error {
	key := "{mlock:" + string(thread) + "}"
	var b [8]byte
	_, _ = rand.Read(b[:])
	token := hex.EncodeToString(b[:])
	for {
		got, err := t.redis.SetNX(ctx, key, token, 30*time.Second).Result()
		if err != nil {
			return fmt.Errorf("email: lock thread: %w", err)
		}
		if got {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("email: lock thread: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	defer func() { _ = unlock.Run(context.WithoutCancel(ctx), t.redis, []string{key}, token).Err() }()
	return f()
}

// receiptsADay is how many automatic receipts one address gets in a day: enough
// for somebody with several matters, too few for two programs to talk.
const receiptsADay = 4

// mayReceive counts a receipt for an address and tells whether it may still be
// sent. The same message counts once.
func (t *Threads) mayReceive(ctx context.Context, address, message string) (bool, error) {
	sum := sha256.Sum256([]byte(canonicalAddress(address)))
	key := "{mrcpt:" + hex.EncodeToString(sum[:12]) + "}"
	var members *redis.StringSliceCmd
	_, err := t.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.SAdd(ctx, key, message)
		p.ExpireNX(ctx, key, 24*time.Hour)
		members = p.SMembers(ctx, key)
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("email: count receipts: %w", err)
	}
	return len(members.Val()) <= receiptsADay, nil
}

// takesPart reports whether an address belongs to a thread: it wrote to us in it,
// or we wrote to it, or it is that of somebody the report names.
func takesPart(ctx context.Context, r Records, thread crm.ThreadID, address string) (bool, error) {
	if address == "" || thread == "" {
		return false, nil
	}
	list, err := r.ThreadMessages(ctx, thread, 500)
	if err != nil {
		return false, err
	}
	reports := map[crm.ReportID]bool{}
	for _, m := range list {
		if m.Report != "" {
			reports[m.Report] = true
		}
		if m.Direction == crm.Incoming && m.From.Address == address {
			return true, nil
		}
		if m.Direction == crm.Outgoing && slices.ContainsFunc(append(slices.Clone(m.To), m.Cc...), func(b crm.Mailbox) bool { return b.Address == address }) {
			return true, nil
		}
	}
	for id := range reports {
		rep, err := r.Report(ctx, id)
		if errors.Is(err, crm.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		for _, party := range rep.Parties {
			if party.Person == "" || party.WithdrawnAt != 0 || !mayWrite(party.Roles) {
				continue
			}
			p, err := r.Person(ctx, party.Person)
			if err != nil && !errors.Is(err, crm.ErrNotFound) {
				return false, err
			}
			if slices.Contains(p.Emails, address) {
				return true, nil
			}
		}
	}
	return false, nil
}

// mayWrite leaves out those who are suspects and nothing else.
func mayWrite(roles []crm.PartyRole) bool {
	return slices.ContainsFunc(roles, func(r crm.PartyRole) bool { return r != crm.RoleSuspect })
}
