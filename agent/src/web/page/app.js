// The page: header, banner, the five parts and the way between them.

import { batchesView } from './batches.js';
import { concerns } from './concerns.js';
import { draw, h } from './dom.js';
import { daemonNow, feed, silentFor, startFeed } from './feed.js';
import { durationText, instant, offsetText, setZone, timeText, zoneName } from './figures.js';
import { footprintView } from './footprint.js';
import { takeIntoPast } from './history.js';
import { instrumentsView } from './instruments.js';
import { liveView } from './live.js';
import { overviewView } from './overview.js';
import { languageTag, switchLanguage, t } from './text.js';
import { restyleTrend } from './trend.js';

const VIEWS = {
  overview: overviewView,
  live: liveView,
  batches: batchesView,
  footprint: footprintView,
  instruments: instrumentsView,
};
const CONNECTION_TEXTS = {
  live: 'linkLive',
  connecting: 'linkConnecting',
  stale: 'linkStale',
  lost: 'linkLost',
};

const GATHERED_MS = 120;

const root = document.getElementById('page');
let waiting = false;
let gathering = false;

window.addEventListener('hashchange', () => {
  window.scrollTo(0, 0);
  redraw();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', restyleTrend);
document.addEventListener('redraw', redraw);
startFeed(redrawSoon);
redraw();

/** Gathers what the daemon says in one breath, its status and its values, into one drawing. */
function redrawSoon() {
  if (gathering) return;
  gathering = true;
  setTimeout(() => {
    gathering = false;
    redraw();
  }, GATHERED_MS);
}

/** Draws in the next frame, however often it is asked for before. */
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawPage();
  });
}

function drawPage() {
  if (feed.status) setZone(feed.status.timezone);
  takeIntoPast(feed.live);
  document.documentElement.lang = languageTag();
  document.title = feed.status ? `${feed.status.site} · Weighbridge` : 'Weighbridge';
  const view = location.hash.slice(1) in VIEWS ? location.hash.slice(1) : 'overview';
  const frozen = feed.connection === 'live' ? '' : 'frozen';
  draw(
    root,
    header(view),
    banners(),
    h('main', { key: view, class: `view ${frozen}` }, bodyOf(view)),
    footer(),
  );
}

/** The part that is chosen; one that cannot be drawn says so instead of leaving old figures standing. */
function bodyOf(view) {
  if (!feed.status) return h('div', { class: 'waiting', 'aria-hidden': 'true' });
  try {
    return VIEWS[view]();
  } catch (error) {
    return h('p', { key: 'broken', class: 'broken' }, t('broken', { why: error.message }));
  }
}

function footer() {
  if (!feed.status) return null;
  const { version, epoch } = feed.status;
  return h(
    'footer',
    { class: 'foot' },
    `Weighbridge ${version} · ${t('epoch', { n: epoch })} · ${zoneName()}`,
  );
}

function header(view) {
  const troubles = feed.status ? concerns().length : 0;
  return h(
    'header',
    { class: 'top' },
    h(
      'a',
      { class: 'brand', href: '#overview' },
      h('img', { src: 'favicon.svg', alt: '', width: 30, height: 30 }),
      h(
        'span',
        { class: 'site' },
        h('strong', {}, feed.status?.site ?? 'Weighbridge'),
        h('small', {}, feed.status ? t('gateway', { name: feed.status.gateway }) : ''),
      ),
    ),
    h(
      'nav',
      { 'aria-label': 'Weighbridge' },
      Object.keys(VIEWS).map((name) => tab(name, view, troubles)),
    ),
    h('div', { class: 'beside' }, demoMark(), clock(), connection(), languageButton()),
  );
}

function tab(name, view, troubles) {
  const count = name === 'overview' && troubles > 0 ? h('span', { class: 'count' }, troubles) : null;
  return h(
    'a',
    { href: `#${name}`, 'aria-current': name === view ? 'page' : null },
    h('span', { class: `icon icon-${name}`, 'aria-hidden': 'true' }),
    h('span', {}, t(name)),
    count,
  );
}

function demoMark() {
  if (!feed.status?.demo) return null;
  const speed = feed.status.speed;
  return h(
    'span',
    { class: 'demo', title: t('demoPlant') },
    t('demo'),
    speed !== 1 && ` ×${speed}`,
    h('span', { class: 'more' }, ` · ${t('demoPlant')}`),
  );
}

function clock() {
  if (!feed.status) return null;
  const at = instant(Date.parse(feed.status.time));
  const set = feed.status.clock.state === 'set';
  return h(
    'span',
    {
      class: `clock ${set ? '' : 'not-set'} ${feed.connection === 'live' ? '' : 'stopped'}`,
      title: `${zoneName()} · ${t(set ? 'clockSet' : 'clockNotSet')}`,
    },
    h('span', { class: 'date' }, at.date),
    h('time', { datetime: feed.status.time }, at.time),
    h('small', {}, set ? offsetText(Date.parse(feed.status.time)) : t('clockNotSet')),
  );
}

function connection() {
  return h(
    'span',
    { class: `connection ${feed.connection}`, role: 'status' },
    h('i', {}),
    h('span', {}, t(CONNECTION_TEXTS[feed.connection])),
  );
}

function languageButton() {
  const change = () => {
    switchLanguage();
    restyleTrend();
    redraw();
  };
  return h(
    'button',
    {
      type: 'button',
      class: 'language',
      title: t('switchLanguage'),
      'aria-label': t('switchLanguage'),
      onclick: change,
    },
    t('otherLanguage'),
  );
}

function banners() {
  const clockUnset = feed.status?.clock.state === 'not-set';
  return h(
    'div',
    { class: 'banners', 'aria-live': 'polite' },
    connectionBanner(),
    clockUnset && h('p', { class: 'banner warn' }, t('bannerClock')),
  );
}

function connectionBanner() {
  if (feed.connection === 'live') return null;
  if (feed.connection === 'connecting') return h('p', { class: 'banner calm' }, t('bannerConnecting'));
  const words = feed.status
    ? t('bannerFrozen', { time: timeText(feed.status.time, daemonNow()), age: durationText(silentFor()) })
    : t('bannerNever');
  const title = t(feed.connection === 'stale' ? 'bannerStale' : 'bannerLost');
  return h('p', { class: 'banner bad' }, h('strong', {}, title), h('span', {}, words));
}
