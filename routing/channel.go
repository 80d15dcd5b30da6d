package routing

import "example.org/c3i/contact"

// channels is the number of channels; per-channel state is kept in arrays.
const channels = 3

const (
	onPhone = iota
	onEmail
	onWeb
)

var channelNames = [channels]contact.Channel{contact.Phone, contact.Email, contact.Web}

func channelIndex(c contact.Channel) (int, bool) {
	switch c {
	case contact.Phone:
		return onPhone, true
	case contact.Email:
		return onEmail, true
	case contact.Web:
		return onWeb, true
	}
	return 0, false
}
