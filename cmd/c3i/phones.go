package main

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/routing"
	"example.org/c3i/telephony/ariswitch"
)

// sipDomain is the host part of browser phones' addresses. Asterisk knows them by
// user alone, and the websocket carries them, so no name needs to resolve.
const sipDomain = "c3i.invalid"

// browserPhones makes short-lived SIP endpoints for browsers.
type browserPhones struct {
	sw *ariswitch.Switch

	mu     sync.Mutex
	agents map[routing.AgentID]string // the endpoint each handler has
}

func newBrowserPhones(sw *ariswitch.Switch) *browserPhones {
	return &browserPhones{sw: sw, agents: map[routing.AgentID]string{}}
}

// Provision implements agentdesk.Phones. The new endpoint has a new name, so that
// a browser still registered with the old one cannot be rung.
func (b *browserPhones) Provision(ctx context.Context, agent routing.AgentID) (agentdesk.PhoneCredentials, error) {
	e := ariswitch.Endpoint{ID: randomName("desk-"), Password: rand.Text(), Context: "handlers", WebRTC: true}
	if err := b.sw.PushEndpoint(ctx, e); err != nil {
		return agentdesk.PhoneCredentials{}, err
	}
	b.mu.Lock()
	old := b.agents[agent]
	b.agents[agent] = e.ID
	b.mu.Unlock()
	if old != "" {
		if err := b.sw.RemoveEndpoint(ctx, old); err != nil {
			return agentdesk.PhoneCredentials{}, err
		}
	}
	return credentials(e), nil
}

// Withdraw implements agentdesk.Phones.
func (b *browserPhones) Withdraw(ctx context.Context, agent routing.AgentID) error {
	b.mu.Lock()
	id := b.agents[agent]
	delete(b.agents, agent)
	b.mu.Unlock()
	if id == "" {
		return nil
	}
	return b.sw.RemoveEndpoint(ctx, id)
}

// ProvisionPublic implements agentdesk.PublicPhones. The number is what the
// person on the page says is theirs; nobody has checked it.
func (b *browserPhones) ProvisionPublic(ctx context.Context, number string) (agentdesk.PhoneCredentials, error) {
	e := ariswitch.Endpoint{ID: randomName("public-"), Password: rand.Text(), Context: "public", WebRTC: true, CallerNumber: number}
	if err := b.sw.PushEndpoint(ctx, e); err != nil {
		return agentdesk.PhoneCredentials{}, err
	}
	return credentials(e), nil
}

// WithdrawPublic implements agentdesk.PublicPhones.
func (b *browserPhones) WithdrawPublic(ctx context.Context, user string) error {
	return b.sw.RemoveEndpoint(ctx, user)
}

func credentials(e ariswitch.Endpoint) agentdesk.PhoneCredentials {
	return agentdesk.PhoneCredentials{URI: "sip:" + e.ID + "@" + sipDomain, User: e.ID, Password: e.Password}
}

func randomName(prefix string) string { return prefix + strings.ToLower(rand.Text()[:16]) }

// publicPhones is nil when the public call page is switched off.
func publicPhones(c configs.Desk, b *browserPhones) agentdesk.PublicPhones {
	if !c.PublicCalls {
		return nil
	}
	return b
}
