package main

import "fmt"

// person reads a Person from an object with some of its fields: `Friend` is null or `{"$ptr": {"$person": …}}`, `Friends`
// a list of these, `Extra` any value with tags, the others plain JSON.
func (r run) person(content any) (Person, error) {
	var p Person
	fields, err := asObject(content)
	if err != nil {
		return p, err
	}
	for name, tree := range fields {
		if err := r.personField(&p, name, tree); err != nil {
			return p, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p, nil
}

func (r run) personField(p *Person, name string, tree any) (err error) {
	switch name {
	case "Name":
		p.Name, err = asString(tree)
	case "Age":
		p.Age, err = asInteger[int](tree)
	case "Height":
		p.Height, err = asFloat(tree)
	case "Tags":
		object, err := asObject(tree)
		if err != nil {
			return err
		}
		p.Tags, err = mapOf(object, asKey, asString)
		return err
	case "Friend":
		p.Friend, err = r.friend(tree)
	case "Friends":
		p.Friends, err = listAs(tree, r.friend)
	case "Mode":
		p.Mode, err = asMode(tree)
	case "Extra":
		p.Extra, err = r.value(tree)
	case "Numbers":
		p.Numbers, err = listAs(tree, asInteger[int])
	case "Limit":
		limit, err := asInteger[int64](tree)
		p.Limit = &limit
		return err
	case "secret":
		p.secret, err = asString(tree)
	default:
		return fmt.Errorf("no such field")
	}
	return err
}

func (r run) friend(tree any) (*Person, error) {
	friend, err := r.value(tree)
	if err != nil || friend == nil {
		return nil, err
	}
	p, ok := friend.(*Person)
	if !ok {
		return nil, fmt.Errorf("not a pointer to a person: %T", friend)
	}
	return p, nil
}
