import { Link } from "../router.tsx";

export function NotFoundPage() {
  return (
    <>
      <h1>There is no such page</h1>
      <p>
        The address may be of an older version. Start again from the <Link to="/">overview</Link>.
      </p>
    </>
  );
}
