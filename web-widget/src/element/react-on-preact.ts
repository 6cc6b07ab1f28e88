/** react-on-preact — what the shared components use of `react`, from preact: the stand-alone build puts it in react's place. */
export { createContext } from 'preact';
export {
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'preact/hooks';
