package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// folder is an open IMAP folder, read and never changed.
type folder interface {
	// Validity is the UIDVALIDITY, Next the UID the next message will have.
	Validity() uint32
	Next() uint32
	// After lists the UIDs above one, rising.
	After(ctx context.Context, uid uint32) ([]uint32, error)
	// Fetch reads a message, at most most bytes of it, and when the server got it.
	Fetch(ctx context.Context, uid uint32, most int64) ([]byte, time.Time, error)
	// Wait returns when something may have come, at the latest after d. It proves on
	// returning that the server still answers.
	Wait(ctx context.Context, d time.Duration) error
	Close()
}

// Account is an existing mailbox read over IMAP.
type Account struct {
	// Name names it in logs and metrics, and its cursor.
	Name string
	// Host is host:port. TLS is "implicit", "starttls" or, for a server on this
	// machine only, "none".
	Host, TLS          string
	Username, Password string
	Folder             string
	// Mailbox is the name of ours that its messages are for.
	Mailbox string
	// Existing also takes what lies there when it is first read.
	Existing bool
	// Config verifies the server; the system's roots if nil.
	Config *tls.Config
}

// answerTime bounds the wait for one answer.
const answerTime = time.Minute

// dialIMAP opens an account's folder read-only.
func dialIMAP(ctx context.Context, a Account) (folder, error) {
	f := &imapFolder{changed: make(chan struct{}, 1)}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.Config != nil {
		config = a.Config.Clone()
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(a.Host)
	}
	o := &imapclient.Options{TLSConfig: config, UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(*imapclient.UnilateralDataMailbox) {
			select {
			case f.changed <- struct{}{}:
			default:
			}
		},
	}}
	d := net.Dialer{Timeout: 20 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", a.Host)
	if err != nil {
		return nil, fmt.Errorf("imap: connect: %w", err)
	}
	// Nothing below may hang for ever on a server that says nothing.
	stop := time.AfterFunc(answerTime, func() { _ = conn.Close() })
	defer stop.Stop()
	switch a.TLS {
	case "none":
		f.c = imapclient.New(conn, o)
	case "starttls":
		if f.c, err = imapclient.NewStartTLS(conn, o); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("imap: STARTTLS: %w", err)
		}
	default:
		t := tls.Client(conn, config)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("imap: TLS: %w", err)
		}
		f.c = imapclient.New(t, o)
	}
	if err := f.c.Login(a.Username, a.Password).Wait(); err != nil {
		f.Close()
		return nil, fmt.Errorf("imap: sign in: %w", err)
	}
	data, err := f.c.Select(nonEmpty(a.Folder, "INBOX"), &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("imap: open the folder: %w", err)
	}
	f.validity, f.next = data.UIDValidity, uint32(data.UIDNext)
	f.idle = f.c.Caps().Has(imap.CapIdle) || f.c.Caps().Has(imap.CapIMAP4rev2)
	return f, nil
}

type imapFolder struct {
	c              *imapclient.Client
	validity, next uint32
	idle           bool
	changed        chan struct{}
	gone           atomic.Bool
}

func (f *imapFolder) Validity() uint32 { return f.validity }
func (f *imapFolder) Next() uint32     { return f.next }

func (f *imapFolder) Close() {
	if f.gone.CompareAndSwap(false, true) {
		_ = f.c.Close()
	}
}

// within runs one exchange; when it takes too long or ctx ends, the connection is
// closed and the exchange fails.
func (f *imapFolder) within(ctx context.Context, d time.Duration, exchange func() error) error {
	t := time.AfterFunc(d, f.Close)
	defer t.Stop()
	stop := context.AfterFunc(ctx, f.Close)
	defer stop()
	if err := exchange(); err != nil {
		return err
	}
	if f.gone.Load() {
		return errors.New("imap: the server did not answer in time")
	}
	return nil
}

func (f *imapFolder) After(ctx context.Context, uid uint32) ([]uint32, error) {
	var out []uint32
	err := f.within(ctx, answerTime, func() error {
		var set imap.UIDSet
		set.AddRange(imap.UID(uid+1), 0)
		data, err := f.c.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
		if err != nil {
			return fmt.Errorf("imap: search: %w", err)
		}
		for _, u := range data.AllUIDs() {
			if uint32(u) > uid { // "n:*" names the last message whatever n is
				out = append(out, uint32(u))
			}
		}
		return nil
	})
	slices.Sort(out)
	return out, err
}

// errGone means that a message is no longer there.
var errGone = errors.New("imap: the message is gone")

func (f *imapFolder) Fetch(ctx context.Context, uid uint32, most int64) ([]byte, time.Time, error) {
	var raw []byte
	var at time.Time
	err := f.within(ctx, 5*answerTime, func() error {
		section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: 0, Size: most}}
		list, err := f.c.Fetch(imap.UIDSetNum(imap.UID(uid)), &imap.FetchOptions{UID: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
		if err != nil {
			return fmt.Errorf("imap: fetch: %w", err)
		}
		for _, m := range list {
			if uint32(m.UID) == uid && len(m.BodySection) > 0 {
				raw, at = m.BodySection[0].Bytes, m.InternalDate
				return nil
			}
		}
		return errGone
	})
	return raw, at, err
}

func (f *imapFolder) Wait(ctx context.Context, d time.Duration) error {
	if f.idle {
		if err := f.idleFor(ctx, d); err != nil {
			return err
		}
	} else {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-f.c.Closed():
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.within(ctx, answerTime, func() error { return f.c.Noop().Wait() })
}

func (f *imapFolder) idleFor(ctx context.Context, d time.Duration) error {
	var cmd *imapclient.IdleCommand
	err := f.within(ctx, answerTime, func() (err error) {
		cmd, err = f.c.Idle()
		return err
	})
	if err != nil {
		return fmt.Errorf("imap: idle: %w", err)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-f.changed:
	case <-f.c.Closed():
	}
	return f.within(ctx, answerTime, func() error {
		if err := cmd.Close(); err != nil {
			return err
		}
		return cmd.Wait()
	})
}
