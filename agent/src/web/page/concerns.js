// What needs somebody's attention, gathered from everything that the daemon says.

import { daemonNow, feed } from './feed.js';
import { countText, durationText, instant, timeText } from './figures.js';
import { certificateState } from './instruments.js';
import { named, t } from './text.js';

/** What needs somebody's attention, the worst first: `{ severity, words, note, view }`. */
export function concerns() {
  const found = [
    ...clockConcerns(),
    ...linkConcerns(),
    ...deviceConcerns(),
    ...brokerConcerns(),
    ...batchConcerns(),
    ...factorConcerns(),
    ...certificateConcerns(),
  ];
  return found.sort((a, b) => (a.severity === b.severity ? 0 : a.severity === 'bad' ? -1 : 1));
}

function clockConcerns() {
  return feed.status.clock.state === 'set'
    ? []
    : [{ severity: 'bad', words: t('attClock'), view: 'overview' }];
}

function linkConcerns() {
  return feed.status.links
    .filter((link) => link.state !== 'up')
    .map((link) => ({
      severity: 'bad',
      words: t('attLink', { name: link.name }),
      note: link.reason,
      view: 'overview',
    }));
}

function deviceConcerns() {
  const down = new Set(feed.status.links.filter((link) => link.state !== 'up').map((link) => link.name));
  const troubled = feed.status.devices.filter(
    (device) => ['silent', 'refusing'].includes(device.state) && !down.has(device.link),
  );
  return troubled.map((device) => ({
    severity: 'bad',
    words: t(device.state === 'silent' ? 'attSilent' : 'attRefusing', { name: device.name }),
    note: device.last_good
      ? t('attSince', {
          time: timeText(device.last_good, daemonNow()),
          age: durationText(daemonNow() - Date.parse(device.last_good)),
        })
      : t('attNever'),
    view: 'overview',
  }));
}

function brokerConcerns() {
  const { configured, connected, backlog } = feed.status.mqtt;
  if (!configured || connected) return [];
  return [
    {
      severity: 'bad',
      words: t('attBroker'),
      note: t('attBrokerNote', { n: countText(backlog) }),
      view: 'overview',
    },
  ];
}

function batchConcerns() {
  return feed.batches.flatMap((batch) => {
    const missing = batch.amounts.filter((amount) => amount.value === null);
    if (missing.length === 0) return [];
    return [
      {
        severity: 'uncertain',
        words: t('attBatch', { id: batch.id, n: missing.length }),
        note: missing
          .map((amount) => `${amount.device}: ${amount.reason ? named(amount.reason) : t('noReason')}`)
          .join('; '),
        view: 'batches',
      },
    ];
  });
}

function factorConcerns() {
  return (feed.footprint?.missing ?? []).map((note) => ({
    severity: 'uncertain',
    words: t('attFactor'),
    note,
    view: 'footprint',
  }));
}

function certificateConcerns() {
  if (feed.status.clock.state !== 'set') return [];
  const today = instant(daemonNow()).date;
  const words = { expired: 'attExpired', expiring: 'attExpiring', none: 'attNoCertificate' };
  return feed.status.devices.flatMap(({ name, instrument }) => {
    const { state, days } = certificateState(instrument, today);
    if (!words[state]) return [];
    const note =
      state === 'none'
        ? null
        : t('certificateLine', { number: instrument.certificate, until: instrument.valid_until });
    return [
      {
        severity: state === 'expired' ? 'bad' : 'uncertain',
        words: t(words[state], { name, days }),
        note,
        view: 'instruments',
      },
    ];
  });
}
