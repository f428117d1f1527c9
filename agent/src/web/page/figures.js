// How figures, times and durations are written. Exact values arrive as decimal strings and are handled as integers with a
// decimal exponent; they never pass through binary floating point.

import { t } from './text.js';

const UNITS = { m3: 'm³', 'm3/h': 'm³/h', 'kg/m3': 'kg/m³', degC: '°C', 1: '', one: '' };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A unit as people write it. */
export function unitText(unit) {
  return UNITS[unit] ?? unit ?? '';
}

/** A count with thin spaces between thousands. */
export function countText(count) {
  return count === null || count === undefined ? '—' : String(count).replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

/** A share 0..1 in percent, cut and not rounded, so that 99.97 % never reads 100 %. */
export function shareText(share, decimals = 1) {
  if (share === null || share === undefined) return '—';
  const scale = 10 ** decimals;
  return `${(Math.floor(share * 100 * scale + 1e-9) / scale).toFixed(decimals)} %`;
}

/** How often something failed, in percent, rounded up, so that one failure never reads 0.0 %. */
export function failureText(failed, all) {
  return all > 0 ? `${(Math.ceil((failed / all) * 1000 - 1e-9) / 10).toFixed(1)} %` : '—';
}

/** Bytes in kB, MB or GB. */
export function bytesText(bytes) {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Sum of decimal strings, exact; null when one of them is not a decimal number. */
export function exactSum(texts) {
  const parts = texts.map(parseDecimal);
  if (parts.includes(null)) return null;
  const exponent = Math.min(0, ...parts.map((part) => part.exponent));
  const digits = parts.reduce((sum, part) => sum + part.digits * power10(part.exponent - exponent), 0n);
  return decimalText({ digits, exponent });
}

/**
 * A value and its expanded uncertainty for reading: U with two significant digits, the value to the same place, half to even
 * (JJF 1059.1, GB/T 8170). Without an uncertainty the value keeps all its digits.
 */
export function pairText(value, expanded) {
  const text = typeof value === 'number' ? plainNumber(value) : value;
  const exact = parseDecimal(text);
  if (!(expanded > 0) || exact === null) return { value: text, expanded: null };
  const place = lastPlace(expanded);
  return { value: decimalText(rounded(exact, place)), expanded: roundedNumber(expanded, place) };
}

/** A float with two significant digits, as uncertainties are stated. */
export function twoDigits(number) {
  return number > 0 ? roundedNumber(number, lastPlace(number)) : '0';
}

/** A duration in milliseconds, in its two largest units. */
export function durationText(ms) {
  const whole = Math.max(0, ms);
  if (whole < MINUTE) return t('seconds', { n: Math.floor(whole / 1000) });
  if (whole < HOUR) return t('minutes', { n: Math.floor(whole / MINUTE) });
  if (whole < 2 * DAY)
    return t('hoursMinutes', { h: Math.floor(whole / HOUR), m: Math.floor((whole % HOUR) / MINUTE) });
  return t('days', { n: Math.floor(whole / DAY) });
}

let zone = 'UTC';
let writers = null;

/** Sets the zone in which all times are written; one that the browser does not know leaves UTC, and the page says UTC. */
export function setZone(name) {
  if (name === zone && writers) return;
  try {
    writers = writersFor(name);
    zone = name;
  } catch {
    zone = 'UTC';
    writers = writersFor('UTC');
  }
}

/** Name of the zone in use. */
export function zoneName() {
  return zone;
}

/** `2026-11-21`, `23:36:42`, `23:36` and `11-21` of an instant (ms since 1970), in the site's zone. */
export function instant(ms) {
  if (!writers) setZone('UTC');
  const part = Object.fromEntries(writers.parts.formatToParts(ms).map(({ type, value }) => [type, value]));
  const date = `${part.year}-${part.month}-${part.day}`;
  return {
    date,
    day: `${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}:${part.second}`,
    minute: `${part.hour}:${part.minute}`,
  };
}

/** Offset of the zone, `UTC+8`. */
export function offsetText(ms) {
  if (!writers) setZone('UTC');
  const part = writers.offset.formatToParts(ms).find(({ type }) => type === 'timeZoneName');
  return (part?.value ?? 'UTC').replace('GMT', 'UTC');
}

/** Date and time, without the date when it is that of `reference`. */
export function timeText(iso, reference) {
  if (!iso) return '—';
  const at = instant(Date.parse(iso));
  if (reference === undefined) return `${at.date} ${at.time}`;
  return instant(reference).date === at.date ? at.time : `${at.day} ${at.time}`;
}

/** Whole days from the date `from` to the date `to` (both `2026-11-21`). */
export function daysBetween(from, to) {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY);
}

function writersFor(timeZone) {
  const whole = {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  };
  return {
    parts: new Intl.DateTimeFormat('en-GB', { timeZone, hourCycle: 'h23', ...whole }),
    offset: new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'shortOffset' }),
  };
}

function parseDecimal(text) {
  const match = /^([+-]?)(\d+)(?:\.(\d*))?$/.exec(text.trim());
  if (!match) return null;
  const fraction = match[3] ?? '';
  const digits = BigInt(match[2] + fraction);
  return { digits: match[1] === '-' ? -digits : digits, exponent: -fraction.length };
}

function rounded({ digits, exponent }, place) {
  if (exponent >= place) return { digits: digits * power10(exponent - place), exponent: place };
  const unit = power10(place - exponent);
  const size = digits < 0n ? -digits : digits;
  const twice = (size % unit) * 2n;
  let whole = size / unit;
  if (twice > unit || (twice === unit && whole % 2n === 1n)) whole += 1n;
  return { digits: digits < 0n ? -whole : whole, exponent: place };
}

function decimalText({ digits, exponent }) {
  if (exponent >= 0) return String(digits * power10(exponent));
  const sign = digits < 0n ? '-' : '';
  const all = String(digits < 0n ? -digits : digits).padStart(1 - exponent, '0');
  return `${sign}${all.slice(0, exponent)}.${all.slice(exponent)}`;
}

function power10(exponent) {
  return 10n ** BigInt(exponent);
}

/** Decimal exponent of the second significant digit after rounding to two. */
function lastPlace(number) {
  return Number(number.toExponential(1).split('e')[1]) - 1;
}

function roundedNumber(number, place) {
  return place < 0
    ? number.toFixed(Math.min(100, -place))
    : String(Math.round(number / 10 ** place) * 10 ** place);
}

function plainNumber(number) {
  const text = String(number);
  return text.includes('e') ? number.toFixed(20) : text;
}
