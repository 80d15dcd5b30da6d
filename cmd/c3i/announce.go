package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"example.org/c3i/agentdesk"
	"example.org/c3i/routing"
)

// signOn is a user made at the first start, with the password to print once.
type signOn struct{ name, display, password string }

// seedUsers makes a manager and three handlers of different profiles when there
// is nobody yet.
func seedUsers(ctx context.Context, users *agentdesk.Users, p *routing.Plan) ([]signOn, error) {
	have, err := users.List(ctx)
	if err != nil || len(have) > 0 {
		return nil, err
	}
	specs := []agentdesk.UserSpec{{Name: "manager", Display: "Centre manager", Role: agentdesk.RoleManager}}
	for i := range 3 {
		profile := p.Profiles[i%len(p.Profiles)].Name
		specs = append(specs, agentdesk.UserSpec{
			Name: fmt.Sprintf("handler%d", i+1), Display: fmt.Sprintf("Handler %d", i+1),
			Role: agentdesk.RoleHandler, Profile: profile,
		})
	}
	var out []signOn
	for _, s := range specs {
		password, err := users.Add(ctx, s)
		if errors.Is(err, agentdesk.ErrUserExists) {
			continue // another process was quicker
		}
		if err != nil {
			return nil, fmt.Errorf("make the first sign-ons: %w", err)
		}
		label := s.Display
		if s.Profile != "" {
			label += ", profile " + s.Profile
		}
		out = append(out, signOn{s.Name, label, password})
	}
	return out, nil
}

// announce tells the person who started C3i where to go.
func (a *app) announce(out io.Writer) {
	fmt.Fprintf(out, "\nC3i is ready.\n\n  Desk           %s/desk\n  Ring %-9s %s/call\n", a.url(), a.c.Telephony.Numbers[0], a.url())
	if a.pages != nil {
		fmt.Fprintf(out, "  Report, track  %s/report, %s/track\n", a.url(), a.url())
	}
	if a.sip != "" {
		fmt.Fprintf(out, "  SIP trunk      sip:%s@%s\n", a.c.Telephony.Numbers[0], a.sip)
	}
	if a.post.smtp != "" {
		fmt.Fprintf(out, "  Mail in        smtp://%s for %s\n", a.post.smtp, a.c.Mail.Mailboxes[0].Address)
	}
	if a.post.outgoing != "" {
		fmt.Fprintf(out, "  Mail out       kept in %s: no smart host is configured (mail.routes)\n", a.post.outgoing)
	}
	fmt.Fprintf(out, "  Data           %s\n", a.c.DataDir)
	if len(a.signOns) > 0 {
		fmt.Fprint(out, "\nFirst sign-ons, each with a one-time password that is shown only now:\n\n")
		for _, s := range a.signOns {
			fmt.Fprintf(out, "  %-10s %s  %s\n", s.name, s.password, s.display)
		}
	} else {
		fmt.Fprint(out, "\nForgotten a password? c3i user reset NAME\n")
	}
	fmt.Fprint(out, "\nCtrl-C stops it.\n")
}
