// Draws a description of elements into the document and afterwards changes only what differs, so that selection, focus and
// scroll positions survive the redraw of every second. Text only ever enters as text nodes: nothing that a device or a site
// file says can become markup.

const SVG = 'http://www.w3.org/2000/svg';
const AS_PROPERTY = new Set(['value', 'checked', 'disabled']);

/** Describes one element. `props.key` names it among its siblings, `props.ref` receives the element once it exists. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: described(children) };
}

/** Makes the children of `parent` equal to the description. */
export function draw(parent, ...children) {
  const next = described(children);
  patchChildren(parent, parent.drawn ?? [], next, false);
  parent.drawn = next;
}

function described(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== '')
    .map((child) => (typeof child === 'object' ? child : { text: String(child) }));
}

function patchChildren(element, old, next, svg) {
  const keyed = new Map(old.filter((node) => keyOf(node) !== undefined).map((node) => [keyOf(node), node]));
  const kept = new Set();
  next.forEach((node, place) => {
    const before = keyOf(node) === undefined ? old[place] : keyed.get(keyOf(node));
    if (before && !kept.has(before) && sameKind(before, node)) {
      kept.add(before);
      patch(before, node, svg);
    } else {
      create(node, svg);
    }
  });
  for (const node of old) if (!kept.has(node)) node.element.remove();
  next.forEach((node, place) => {
    if (element.childNodes[place] !== node.element)
      element.insertBefore(node.element, element.childNodes[place] ?? null);
  });
}

function keyOf(node) {
  return node.props?.key;
}

function sameKind(a, b) {
  return a.tag === b.tag && keyOf(a) === keyOf(b);
}

function create(node, svg) {
  if (node.tag === undefined) {
    node.element = document.createTextNode(node.text);
    return;
  }
  const inside = svg || node.tag === 'svg';
  node.element = inside ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  patchChildren(node.element, [], node.children, inside);
  patchProps(node.element, {}, node.props);
  node.props.ref?.(node.element);
}

function patch(before, node, svg) {
  node.element = before.element;
  if (node.tag === undefined) {
    if (before.text !== node.text) node.element.data = node.text;
    return;
  }
  patchChildren(node.element, before.children, node.children, svg || node.tag === 'svg');
  patchProps(node.element, before.props, node.props);
}

function patchProps(element, before, after) {
  for (const name of Object.keys(before)) if (!(name in after)) setProp(element, name, null);
  for (const [name, value] of Object.entries(after)) {
    const changed = AS_PROPERTY.has(name) ? element[name] !== value : before[name] !== value;
    if (changed) setProp(element, name, value);
  }
}

function setProp(element, name, value) {
  if (name === 'key' || name === 'ref') return;
  if (name.startsWith('on')) element[name] = value;
  else if (name === 'style')
    element.style.cssText = value ?? ''; // not the attribute, which a strict policy forbids
  else if (AS_PROPERTY.has(name)) element[name] = value ?? '';
  else if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? '' : value);
}
