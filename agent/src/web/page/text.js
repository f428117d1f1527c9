// Every text of the page, Chinese and English side by side, and the names of quantities, carriers and reasons that the daemon
// sends in English.

const TEXTS = {
  // the frame
  overview: ['总览', 'Overview'],
  live: ['实时数据', 'Live values'],
  batches: ['生产批次', 'Batches'],
  footprint: ['碳足迹', 'Footprint'],
  instruments: ['计量器具', 'Instruments'],
  gateway: ['网关 {name}', 'gateway {name}'],
  otherLanguage: ['EN', '中文'],
  switchLanguage: ['Switch to English', '切换为中文'],
  demo: ['演示', 'Demo'],
  demoPlant: ['模拟工厂，非真实数据', 'simulated plant, not real figures'],
  asOf: ['截至 {time}', 'as of {time}'],
  epoch: ['纪元 {n}', 'epoch {n}'],
  broken: ['这一部分无法显示：{why}', 'This part cannot be shown: {why}'],
  // connection and clock
  linkLive: ['实时', 'live'],
  linkConnecting: ['连接中', 'connecting'],
  linkStale: ['数据停滞', 'stalled'],
  linkLost: ['已断开', 'lost'],
  bannerConnecting: ['正在连接网关程序…', 'Connecting to the daemon…'],
  bannerLost: ['与网关程序的连接已断开', 'Connection to the daemon lost'],
  bannerStale: ['网关程序已停止发送数据', 'The daemon has stopped sending'],
  bannerFrozen: [
    '以下为 {time} 的旧数据（已过 {age}），不是现状。正在自动重连。',
    'What is shown is from {time} ({age} ago), not the present. Reconnecting by itself.',
  ],
  bannerNever: ['尚未收到任何数据，正在自动重连。', 'Nothing has been received yet. Reconnecting by itself.'],
  bannerClock: [
    '网关时钟未校准：显示的时间不可靠，此期间的读数标为“存疑”，不计入任何批次。',
    'The gateway clock is not set: times shown here are not reliable. Readings are marked uncertain and count for no batch until it is.',
  ],
  clockSet: ['时钟已校准', 'clock set'],
  clockNotSet: ['时钟未校准', 'clock not set'],
  // overview strip
  stripLinks: ['总线', 'Links up'],
  stripDevices: ['应答设备', 'Devices answering'],
  stripBacklog: ['待发送至服务器', 'Backlog to broker'],
  stripStored: ['已存储读数', 'Readings stored'],
  stripAcknowledged: ['服务器已确认', 'Acknowledged'],
  stripBad: ['坏值', 'Bad readings'],
  noteAllUp: ['全部正常', 'all up'],
  noteSilent: ['无应答 {n}', '{n} silent'],
  noteRefusing: ['拒绝 {n}', '{n} refusing'],
  noteWaiting: ['等待 {n}', '{n} waiting'],
  noteBroker: ['已连接 {broker}', 'connected to {broker}'],
  noteBrokerDown: ['未连接 {broker}', 'not connected to {broker}'],
  noteBrokerNone: ['未配置服务器，仅本地保存', 'no broker configured, kept here'],
  noteDisk: ['占用磁盘 {size}', '{size} on disk'],
  noteShare: ['占 {share}', '{share} of stored'],
  noteStoredNothing: ['尚无读数', 'nothing stored yet'],
  noteDown: ['断开 {n}', '{n} down'],
  // attention
  attention: ['待处理', 'Needs attention'],
  attentionNone: ['目前没有需要处理的事项', 'Nothing needs attention'],
  attLink: ['总线 {name} 断开', 'Link {name} is down'],
  attSilent: ['{name} 无应答', '{name} does not answer'],
  attRefusing: ['{name} 拒绝请求', '{name} refuses'],
  attSince: ['最近应答 {time}（{age}前）', 'last answer {time} ({age} ago)'],
  attNever: ['从未应答', 'never answered'],
  attBroker: ['MQTT 服务器未连接', 'MQTT broker not connected'],
  attBrokerNote: [
    '{n} 条读数保存在本机，恢复连接后发送',
    '{n} readings are kept here and sent once it is back',
  ],
  attClock: ['网关时钟未校准', 'The gateway clock is not set'],
  attExpired: ['{name} 检定证书已过期 {days} 天', 'Certificate of {name} expired {days} d ago'],
  attExpiring: ['{name} 检定证书 {days} 天后到期', 'Certificate of {name} expires in {days} d'],
  attNoCertificate: ['{name} 未登记检定证书', '{name} has no certificate on record'],
  attFactor: ['碳足迹缺少因子', 'Footprint lacks a factor'],
  attBatch: ['批次 {id} 有 {n} 项数据缺失', 'Batch {id}: amounts missing: {n}'],
  attMore: ['另有 {n} 项', '{n} more'],
  certificateLine: ['证书 {number}，有效至 {until}', 'certificate {number}, valid until {until}'],
  showFewer: ['收起', 'Show fewer'],
  showAllDevices: ['显示全部 {n} 台设备', 'Show all {n} devices'],
  // links and devices
  linksDevices: ['总线与设备', 'Links and devices'],
  busy: ['线路占用', 'line load'],
  exchanges: ['通信次数', 'exchanges'],
  failed: ['失败', 'failed'],
  refused: ['拒绝', 'refused'],
  dropped: ['丢弃字节', 'bytes dropped'],
  device: ['设备', 'Device'],
  state: ['状态', 'State'],
  answerTime: ['应答时间', 'Answer'],
  errorRate: ['失败率', 'Failed'],
  lastAnswer: ['最近应答', 'Last answer'],
  lastError: ['最近错误', 'last error'],
  up: ['正常', 'up'],
  down: ['断开', 'down'],
  stateGood: ['正常', 'answering'],
  stateSilent: ['无应答', 'silent'],
  stateRefusing: ['拒绝请求', 'refusing'],
  stateWaiting: ['等待首次应答', 'waiting'],
  never: ['从未', 'never'],
  noLinks: ['站点文件中没有总线。', 'The site file has no links.'],
  runningBatches: ['进行中的批次', 'Batches running'],
  noRunning: ['当前没有进行中的批次', 'No batch is running'],
  since: ['自 {time} 起 · {duration}', 'since {time} · {duration}'],
  // qualities
  quality: ['数据质量', 'Quality'],
  good: ['良好', 'good'],
  uncertain: ['存疑', 'uncertain'],
  bad: ['坏值', 'bad'],
  noReason: ['未说明原因', 'no reason given'],
  lastGood: ['上次良好值 {value}，{time}', 'last good {value}, {time}'],
  lastGoodNone: ['从未有良好值', 'never had a good value'],
  // live
  filterPlaceholder: ['筛选设备或量…', 'Filter devices or quantities…'],
  onlyTrouble: ['只看异常', 'Only trouble'],
  sharedSection: ['公用 / 未分工段', 'Shared / no section'],
  noValues: [
    '尚无读数。设备首次应答后显示在此。',
    'No readings yet. They appear once a device has answered.',
  ],
  noMatch: ['没有符合筛选条件的读数。', 'Nothing matches the filter.'],
  devicesIn: ['{n} 台设备', '{n} devices'],
  oneDevice: ['1 台设备', '1 device'],
  growth: ['相邻读数间的平均增速', 'mean growth between readings'],
  accuracyClass: ['{class} 级', 'class {class}'],
  // trend
  trend: ['趋势', 'Trend'],
  quantity: ['量', 'Quantity'],
  minutes15: ['15 分钟', '15 min'],
  hour1: ['1 小时', '1 h'],
  hours6: ['6 小时', '6 h'],
  hours24: ['24 小时', '24 h'],
  zoomIn: ['放大', 'Zoom in'],
  zoomOut: ['缩小', 'Zoom out'],
  zoomReset: ['还原', 'Reset'],
  trendHelp: [
    '拖动选择时段放大，双击还原；斜线区间没有有效值。',
    'Drag to zoom, double-click to reset; hatched spans have no good value.',
  ],
  trendFailed: ['趋势读取失败：{why}', 'The trend could not be read: {why}'],
  trendEmpty: ['该时段没有有效值', 'No good value in this span'],
  trendNoGauge: ['没有可绘制趋势的瞬时量。', 'There is no gauge to draw.'],
  rangeOf: ['最小 {min} · 最大 {max}', 'min {min} · max {max}'],
  // batches
  batchAxis: ['批次时间轴', 'Batches in time'],
  batchTable: ['批次明细', 'Batch records'],
  batch: ['批次', 'Batch'],
  model: ['产品型号', 'Model'],
  sections: ['工段', 'Sections'],
  section: ['工段', 'Section'],
  opened: ['开始', 'Opened'],
  closed: ['结束', 'Closed'],
  duration: ['历时', 'Duration'],
  output: ['合格 / 不合格', 'Good / rejected'],
  energies: ['能源与物料 ± U (k=2)', 'Energies and masses ± U (k=2)'],
  worst: ['覆盖率 · 等级', 'Coverage · grade'],
  batchOpen: ['进行中', 'open'],
  batchClosing: ['结算中', 'closing'],
  batchClosed: ['已结束', 'closed'],
  revision: ['修订 {n}', 'rev. {n}'],
  noBatches: [
    '还没有批次。批次打开后，各工段的能耗、物料及其不确定度显示在此。',
    'No batches yet. Once one is opened, its energies and masses per section appear here with their uncertainty.',
  ],
  rangeAll: ['全部', 'All'],
  hours8: ['8 小时', '8 h'],
  days7: ['7 天', '7 d'],
  noneInRange: ['该时段内没有批次', 'No batch in this span'],
  now: ['现在', 'now'],
  carrier: ['能源 / 物料', 'Carrier / material'],
  amount: ['用量', 'Amount'],
  expanded: ['U (k=2)', 'U (k=2)'],
  systematic: ['系统分量 u', 'systematic u'],
  independent: ['独立分量 u', 'independent u'],
  coverage: ['覆盖率', 'Coverage'],
  grade: ['等级', 'Grade'],
  missingOf: ['{n}/{all} 项缺失', '{n} of {all} missing'],
  noAmounts: ['该批次尚无计量数据。', 'No amounts measured for this batch yet.'],
  details: ['展开明细', 'Details'],
  notYet: ['未结束', 'not closed'],
  notStated: ['未报', 'not stated'],
  gradeHigh: ['高', 'high'],
  gradeHigher: ['较高', 'higher'],
  gradeMedium: ['中', 'medium'],
  gradeLower: ['较低', 'lower'],
  gradeLow: ['低', 'low'],
  gradeNone: ['未评', 'not graded'],
  // footprint
  stageOnly: ['仅生产阶段', 'Production stage only'],
  stageText: [
    '本页结果只含生产阶段用能的排放，不含原材料获取、分销、使用和生命末期，不是完整的产品碳足迹。',
    'These results hold the emissions of the energy that production uses, and nothing else. Raw materials, distribution, use and end of life are not in them: this is not the complete product carbon footprint.',
  ],
  noFootprint: [
    '尚无结果。有已结束并报有合格数的批次后，在此给出每台产品的排放量及不确定度。',
    'No result yet. It appears once a batch is closed with its good output.',
  ],
  perPiece: ['kgCO₂e/台', 'kgCO₂e/piece'],
  relative: ['相对扩展不确定度 U_rel', 'relative U_rel'],
  basedOn: ['{batches} 个批次，合格 {good} 台', '{batches} batches, {good} good pieces'],
  rows: ['各项贡献', 'Contributions'],
  rowName: ['能源 / 物料 · 工段', 'Carrier · section'],
  emission: ['排放 E ± U (k=2)', 'E ± U (k=2)'],
  share: ['占比', 'Share'],
  factor: ['排放因子', 'Factor'],
  usedQuantity: ['用量', 'Quantity'],
  correlation: ['相关性对不确定度的影响', 'What correlation does to the uncertainty'],
  document: ['按规范公式（各项独立）', 'by the draft (rows independent)'],
  correlated: ['计入相关（同一因子、同一器具）', 'with correlation (shared factor, shared instrument)'],
  correlationDiffers: [
    '两者相差 {percent} %，超过 5 %：各项并非独立，报告中应说明。',
    'They differ by {percent} %, more than 5 %: the rows are not independent; the report should say so.',
  ],
  correlationAgrees: ['两者相差 {percent} %。', 'They differ by {percent} %.'],
  warnings: ['提示', 'Warnings'],
  missingTitle: ['以下内容未计入结果', 'Not in the result'],
  computedAt: ['计算于 {time}', 'computed {time}'],
  // instruments
  instrument: ['器具', 'Instrument'],
  maker: ['厂家 / 型号', 'Maker / model'],
  serial: ['出厂编号', 'Serial no.'],
  class: ['准确度等级', 'Class'],
  place: ['安装处', 'Place'],
  certificate: ['证书编号', 'Certificate'],
  validUntil: ['有效期至', 'Valid until'],
  validity: ['证书状态', 'Validity'],
  validDays: ['有效，剩 {days} 天', 'valid, {days} d left'],
  expiresIn: ['{days} 天后到期', 'expires in {days} d'],
  expiredSince: ['已过期 {days} 天', 'expired {days} d ago'],
  notYetValid: ['{days} 天后生效', 'valid in {days} d'],
  noCertificate: ['未登记证书', 'none on record'],
  openEnd: ['有效，未登记截止日期', 'valid, no end on record'],
  validityUnknown: ['时钟未校准，无法判断', 'clock not set, cannot be told'],
  noInstruments: ['站点文件中没有设备。', 'The site file has no devices.'],
  countExpired: ['过期 {n}', '{n} expired'],
  countExpiring: ['90 天内到期 {n}', '{n} expire within 90 d'],
  countNone: ['未登记 {n}', '{n} without certificate'],
  countValid: ['有效 {n}', '{n} valid'],
  // durations
  seconds: ['{n} 秒', '{n} s'],
  minutes: ['{n} 分', '{n} min'],
  hoursMinutes: ['{h} 时 {m} 分', '{h} h {m} min'],
  days: ['{n} 天', '{n} d'],
};

/** Names of carriers, sources, quantities and reasons as they come from profiles, site files and the daemon. */
const LEXICON = {
  electricity: ['电', 'electricity'],
  'natural gas': ['天然气', 'natural gas'],
  solder: ['焊锡', 'solder'],
  'solder paste': ['锡膏', 'solder paste'],
  'solder bar': ['锡条', 'solder bar'],
  flux: ['助焊剂', 'flux'],
  nitrogen: ['氮气', 'nitrogen'],
  'compressed air': ['压缩空气', 'compressed air'],
  water: ['水', 'water'],
  steam: ['蒸汽', 'steam'],
  heat: ['热量', 'heat'],
  petrol: ['汽油', 'petrol'],
  diesel: ['柴油', 'diesel'],
  coating: ['三防漆', 'coating'],
  varnish: ['三防漆', 'varnish'],
  resin: ['树脂', 'resin'],
  plastic: ['塑料', 'plastic'],
  copper: ['铜', 'copper'],
  grid: ['电网', 'grid'],
  green: ['绿电', 'green'],
  'on site': ['自发电', 'on-site'],
  energy: ['电能', 'energy'],
  'active energy': ['有功电能', 'active energy'],
  'energy import': ['正向有功电能', 'energy import'],
  'energy export': ['反向有功电能', 'energy export'],
  'active energy import': ['正向有功电能', 'active energy import'],
  'active energy export': ['反向有功电能', 'active energy export'],
  'energy active import': ['正向有功电能', 'active energy import'],
  'energy active export': ['反向有功电能', 'active energy export'],
  'reactive energy': ['无功电能', 'reactive energy'],
  'reactive energy import': ['正向无功电能', 'reactive energy import'],
  'reactive energy export': ['反向无功电能', 'reactive energy export'],
  power: ['功率', 'power'],
  'active power': ['有功功率', 'active power'],
  'reactive power': ['无功功率', 'reactive power'],
  'apparent power': ['视在功率', 'apparent power'],
  'power factor': ['功率因数', 'power factor'],
  demand: ['需量', 'demand'],
  voltage: ['电压', 'voltage'],
  current: ['电流', 'current'],
  frequency: ['频率', 'frequency'],
  flow: ['流量', 'flow'],
  'flow rate': ['瞬时流量', 'flow rate'],
  'volume flow': ['体积流量', 'volume flow'],
  'volume flow rate': ['体积流量', 'volume flow rate'],
  'mass flow': ['质量流量', 'mass flow'],
  'mass flow rate': ['质量流量', 'mass flow rate'],
  volume: ['累计体积', 'volume'],
  'total volume': ['累计体积', 'total volume'],
  'volume total': ['累计体积', 'total volume'],
  mass: ['累计质量', 'mass'],
  'total mass': ['累计质量', 'total mass'],
  'mass total': ['累计质量', 'total mass'],
  totaliser: ['累计量', 'totaliser'],
  totalizer: ['累计量', 'totalizer'],
  total: ['累计量', 'total'],
  weight: ['重量', 'weight'],
  'gross weight': ['毛重', 'gross weight'],
  'net weight': ['净重', 'net weight'],
  'tare weight': ['皮重', 'tare weight'],
  gross: ['毛重', 'gross'],
  net: ['净重', 'net'],
  tare: ['皮重', 'tare'],
  temperature: ['温度', 'temperature'],
  pressure: ['压力', 'pressure'],
  density: ['密度', 'density'],
  status: ['状态字', 'status'],
  state: ['状态', 'state'],
  'no answer': ['无应答', 'no answer'],
  timeout: ['超时', 'timeout'],
  checksum: ['校验错误', 'checksum'],
  'device exception': ['设备报告异常', 'device exception'],
  refused: ['设备拒绝', 'refused'],
  'out of range': ['超出合理范围', 'out of range'],
  'out of plausible range': ['超出合理范围', 'out of plausible range'],
  stale: ['数据陈旧', 'stale'],
  'clock not set': ['时钟未校准', 'clock not set'],
  overflow: ['溢出', 'overflow'],
  overload: ['超载', 'overload'],
  'meter exchanged': ['换表', 'meter exchanged'],
  break: ['计数中断', 'break'],
  'counter fell': ['计数回退', 'counter fell'],
  'certificate expired': ['证书已过期', 'certificate expired'],
  estimated: ['估算值', 'estimated'],
  'entered by hand': ['人工录入', 'entered by hand'],
  absent: ['设备不提供该值', 'absent'],
  'not available': ['设备不提供该值', 'not available'],
  'not bcd': ['非 BCD 编码', 'not BCD'],
  'not read yet': ['尚未读取', 'not read yet'],
  'link down': ['总线断开', 'link down'],
  'low coverage': ['覆盖率低', 'low coverage'],
};

const STORED = 'weighbridge.language';
let column = firstColumn();

/** The text of that key in the chosen language, `{name}` replaced from `values`. */
export function t(key, values = {}) {
  return (TEXTS[key]?.[column] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '—');
}

/** A name that the daemon sent, in the chosen language if the lexicon has it, else as it came. */
export function named(name) {
  const plain = name.toLowerCase().replace(/[_-]/g, ' ').trim();
  const exact = LEXICON[plain];
  if (exact) return exact[column];
  const phased = /^(.+?) (?:phase )?(l?[123]|[abc]|total)$/.exec(plain);
  const stem = phased && LEXICON[phased[1]];
  if (!stem) return name.replace(/_/g, ' ');
  if (phased[2] === 'total') return column === 0 ? `总${stem[0]}` : `${stem[1]} total`;
  return column === 0 ? `${stem[0]} ${phased[2].toUpperCase()}` : `${stem[1]} ${phased[2].toUpperCase()}`;
}

/** Language tag of the document. */
export function languageTag() {
  return column === 0 ? 'zh-CN' : 'en';
}

/** Changes to the other language and remembers it. */
export function switchLanguage() {
  column = 1 - column;
  remember(STORED, column === 0 ? 'zh' : 'en');
}

/** What was remembered under that name, or null; a browser that keeps nothing is no fault. */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** Remembers a choice of the user where the browser allows it. */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // private windows refuse storage; the choice then holds until the page closes
  }
}

function firstColumn() {
  const chosen = recall(STORED) ?? navigator.language;
  return chosen.toLowerCase().startsWith('zh') ? 0 : 1;
}
