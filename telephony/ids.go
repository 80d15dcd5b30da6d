package telephony

import (
	"strconv"
	"strings"

	"example.org/c3i/contact"
	"example.org/c3i/routing"
)

// Ids of ours begin with idPrefix, so that after a restart they can be told
// from everybody else's, and carry the contact, so that they never repeat.
const idPrefix = "c3i-"

func legID(id contact.ID, offer routing.OfferID) ChannelID {
	return ChannelID(idPrefix + string(id) + "-leg-" + strconv.FormatUint(uint64(offer), 10))
}

// backID is the leg of a caller who is rung back for an offer.
func backID(id contact.ID, offer routing.OfferID) ChannelID {
	return ChannelID(idPrefix + string(id) + "-leg-back-" + strconv.FormatUint(uint64(offer), 10))
}

func bridgeID(id contact.ID, offer routing.OfferID) BridgeID {
	return BridgeID(idPrefix + string(id) + "-bridge-" + strconv.FormatUint(uint64(offer), 10))
}

func playbackID(id contact.ID, n int) PlaybackID {
	return PlaybackID(idPrefix + string(id) + "-play-" + strconv.Itoa(n))
}

func isOurLeg(ch ChannelID) bool {
	return strings.HasPrefix(string(ch), idPrefix) && strings.Contains(string(ch), "-leg-")
}

func isOurBridge(b BridgeID) bool {
	return strings.HasPrefix(string(b), idPrefix) && strings.Contains(string(b), "-bridge-")
}

// argLeg is the first argument of legs we originate; argInbound that of calls
// from the dialplan, argFallback marks one that comes from its fallback.
const (
	argLeg      = "leg"
	argInbound  = "inbound"
	argFallback = "fallback"
)
