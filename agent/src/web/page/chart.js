// A curve over time drawn by uPlot, in the site's time zone. Spans without a good value are hatched, never bridged.

import { instant } from './figures.js';

const NARROWEST_S = 2;

/**
 * Draws a trend (`{ times, values }`) into an element. `events.onCursor` is called with the plot when the cursor moves,
 * `events.onZoom` when the ends of its time axis change.
 */
export function drawChart(host, trend, events) {
  const plot = new window.uPlot(options(sizeOf(host), events), [trend.times, trend.values], host);
  allowPinch(plot);
  return plot;
}

/** The room that an element offers to a chart, in pixels. */
export function sizeOf(host) {
  return { width: Math.max(200, host.clientWidth), height: host.clientHeight };
}

/** Shows `factor` times the present span of time about its middle. */
export function zoomBy(plot, factor) {
  const { min, max } = plot.scales.x;
  zoomTo(plot, (min + max) / 2, ((max - min) / 2) * factor);
}

/** Shows the whole trend again. */
export function unzoom(plot) {
  zoomTo(plot, (plot.data[0][0] + plot.data[0].at(-1)) / 2, Infinity);
}

/** Whether only a part of the trend is shown. */
export function isZoomed(plot) {
  const times = plot.data[0];
  return times.length > 0 && (plot.scales.x.min > times[0] || plot.scales.x.max < times.at(-1));
}

/** Digits that the channel shows, not those of binary floating point. */
export function plain(value) {
  return String(Number(value.toPrecision(9)));
}

function options(size, events) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    font: `12px ${colour('--figures')}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1, size: 4 },
  };
  return {
    ...size,
    legend: { show: false },
    padding: [10, 14, 0, 0],
    cursor: { drag: { x: true, y: false }, points: { size: 7 } },
    scales: { y: { range: valueRange } },
    tzDate: siteDate,
    axes: [
      {
        ...axis,
        space: 76,
        size: (_, labels) => (labels?.some((label) => label.includes('\n')) ? 44 : 28),
        values: timeLabels,
      },
      { ...axis, size: 62, values: valueLabels },
    ],
    series: [
      {},
      { stroke: colour('--accent'), width: 1.6, fill: colour('--accent-wash'), points: { size: 4 } },
    ],
    hooks: {
      drawClear: [(plot) => hatchGaps(plot, colour('--hatch'))],
      setCursor: [events.onCursor],
      setScale: [(plot, scale) => scale === 'x' && events.onZoom(plot)],
    },
  };
}

/** A date whose local fields are those of the site, for ticks at full hours there. */
function siteDate(seconds) {
  const { date, time } = instant(seconds * 1000);
  return new Date(`${date}T${time}`);
}

function timeLabels(_, splits, axisIndex, space, step) {
  let day = null;
  return splits.map((seconds) => {
    const at = instant(seconds * 1000);
    const clock = step < 60 ? at.time : at.minute;
    const label = day !== null && at.day !== day ? `${clock}\n${at.day}` : clock;
    day = at.day;
    return label;
  });
}

/** An axis without a value has no scale to show. */
function valueLabels(plot, splits) {
  const empty = plot.data[1].every((value) => value === null);
  return splits.map((value) => (empty ? '' : plain(value)));
}

/** A flat line stays in the middle; a small tremor does not fill the height: at least 1 % of the value is spanned. */
function valueRange(_, low, high) {
  if (low === null || high === null) return [0, 1];
  const middle = (low + high) / 2;
  const half = Math.max((high - low) * 0.58, Math.abs(middle) * 0.005, 1e-6);
  return [middle - half, middle + half];
}

function hatchGaps(plot, colour) {
  const [times, values] = plot.data;
  plot.ctx.save();
  plot.ctx.fillStyle = hatching(plot.ctx, colour);
  let from = null;
  for (let place = 0; place <= values.length; place += 1) {
    const missing = place < values.length && values[place] === null;
    if (missing && from === null) from = place;
    if (missing || from === null) continue;
    const left = plot.valToPos(times[Math.max(0, from - 1)], 'x', true);
    const right = plot.valToPos(times[Math.min(times.length - 1, place)], 'x', true);
    fillWithin(plot, left, right);
    from = null;
  }
  plot.ctx.restore();
}

function fillWithin({ ctx, bbox }, left, right) {
  const start = Math.max(left, bbox.left);
  const end = Math.min(right, bbox.left + bbox.width);
  if (end > start) ctx.fillRect(start, bbox.top, end - start, bbox.height);
}

function hatching(ctx, colour) {
  const tile = document.createElement('canvas');
  tile.width = 8;
  tile.height = 8;
  const pen = tile.getContext('2d');
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return ctx.createPattern(tile, 'repeat');
}

function zoomTo(plot, middle, half) {
  const times = plot.data[0];
  if (times.length === 0) return;
  const kept = Math.max(half, NARROWEST_S / 2);
  plot.setScale('x', { min: Math.max(times[0], middle - kept), max: Math.min(times.at(-1), middle + kept) });
}

/** Two fingers zoom; one finger is left to the page's own scrolling. */
function allowPinch(plot) {
  let start = null;
  const spread = (touches) => Math.abs(touches[0].clientX - touches[1].clientX) || 1;
  const middle = (touches) =>
    plot.posToVal(
      (touches[0].clientX + touches[1].clientX) / 2 - plot.over.getBoundingClientRect().left,
      'x',
    );
  plot.over.addEventListener(
    'touchstart',
    ({ touches }) => {
      if (touches.length !== 2) return;
      start = {
        spread: spread(touches),
        middle: middle(touches),
        half: (plot.scales.x.max - plot.scales.x.min) / 2,
      };
    },
    { passive: true },
  );
  plot.over.addEventListener(
    'touchmove',
    (event) => {
      if (start === null || event.touches.length !== 2) return;
      event.preventDefault();
      zoomTo(plot, start.middle, (start.half * start.spread) / spread(event.touches));
    },
    { passive: false },
  );
  plot.over.addEventListener('touchend', () => (start = null), { passive: true });
}
