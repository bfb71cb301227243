// The frame's side of the SDK's message protocol, written from its description (message types, ids, who speaks first). The host's
// script defines the same ZFAPPS; a panel cannot tell them apart.
window.ZFAPPS = (() => {
  const parameters = new URLSearchParams(location.search);
  const origin = parameters.get('serviceOrigin') || '*';
  const pending = new Map();
  const handlers = {};
  let key = null;
  let count = 100;

  const post = (message) =>
    parent.postMessage(
      {
        ...message,
        time: Date.now(),
        widgetOrigin: encodeURIComponent(
          `${location.protocol}//${location.host}${location.pathname}`,
        ),
        ...(key ? { uniqueID: key, widgetID: key } : {}),
      },
      origin,
    );

  const event = (data) =>
    new Promise((resolve, reject) => {
      const promiseID = `Promise${count++}`;
      pending.set(promiseID, { resolve, reject });
      post({ type: '__EVENT__', eventName: 'ZF_EVENT', isPromise: true, promiseID, data });
    });

  const instance = {
    on(name, handler) {
      if (typeof handler !== 'function') throw new Error('Invalid handler');
      handlers[name] = [...(handlers[name] || []), handler];
      post({ type: '__EVENT_BIND__', eventName: name, count: handlers[name].length });
    },
  };

  const init = () =>
    new Promise((resolve) => {
      window.addEventListener('message', (message) => {
        const data = typeof message.data === 'string' ? JSON.parse(message.data) : message.data;
        if (!data || typeof data !== 'object') return;
        if (data.type === '__REGISTER__') {
          key = data.uniqueID;
          post({ type: '__REGISTER__' });
          if (data.data && typeof data.data === 'object') resolve({ ...data.data, instance });
        } else if (data.type === '__EVENT_RESPONSE__') {
          const waiting = pending.get(data.promiseID);
          pending.delete(data.promiseID);
          if (waiting) (data.isSuccess ? waiting.resolve : waiting.reject)(data.data);
        } else if (data.eventName && handlers[data.eventName]) {
          for (const handler of handlers[data.eventName]) handler(data.data);
        }
      });
      window.addEventListener('unload', () => post({ type: '__DEREGISTER__' }));
    });

  return {
    extension: { init },
    get: (property, value) => event({ type: 'GET_DATA', property, value }),
    set: (property, value) => event({ type: 'SET_DATA', property, value }),
    request: (options) => event({ type: 'FETCH_DATA', data: options }),
    invoke: (type, property, value) => event({ type, property, value }),
    store: (property, value) => event({ type: 'STORE_DATA', property, value }),
    retrieve: (property) => event({ type: 'RETRIEVE_DATA', property }),
    showWidget: (property) => event({ type: 'SHOW_WIDGET', property }),
    hideWidget: (property) => event({ type: 'HIDE_WIDGET', property }),
    closeModal: () => event({ type: 'CLOSE_MODAL' }),
  };
})();
